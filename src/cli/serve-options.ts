import type { DeclaredOption } from '../node/declared-options.js';
import { NODE_OPTIONS } from '../node/declared-options.js';
import type { ServeForm, Source } from '../node/serve-form.js';
import { numberFrom, served, yesOrNoFrom } from '../node/serve-form.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** In place of a port: the charts go to the Stately inspector. */
export const STATELY = 'stately';
const INSPECT =
  'show the running charts to @xstate/inspect on this port (default: 7480), or "stately": send them to the Stately inspector';

/** An option of `quorate serve`. */
export interface ServeOption extends DeclaredOption {
  readonly serve: ServeForm;
  /** The name of this option of `ReplicaNode.open`; undefined for a flag that concerns the command alone. */
  readonly optionName?: string;
}

const OWN: readonly ServeOption[] = [
  {
    schema: (z) => z.enum(LOG_LEVELS),
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    serve: served('log-level', '<level>', LOG_LEVELS.join(', '), { default: 'info' }),
  },
  {
    schema: (z) => z.union([z.boolean(), z.int().min(0).max(65_535), z.literal(STATELY)]),
    expected: 'a port from 0 to 65535, true or false, or "stately"',
    serve: served('inspect', '[port]', INSPECT, {
      expected: 'a port, which is a whole number from 0 to 65535, or 1 or 0, yes or no, or "stately"',
      read: portOrYesOrNo,
    }),
  },
];

const ofNode: readonly ServeOption[] = Object.entries(NODE_OPTIONS).flatMap(([optionName, declared]) => {
  const { serve } = declared;
  return serve === undefined ? [] : [{ ...declared, serve, optionName }];
});

/** All options of `quorate serve` that can stand in the environment and the file, too, in the order in which they are shown. */
export const SERVE_OPTIONS: readonly ServeOption[] = [
  ...ofNode.filter(({ serve }) => serve.isSetting !== true),
  ...OWN,
  ...ofNode.filter(({ serve }) => serve.isSetting === true),
];

/** In the environment 1 stands for yes, as with other options: it is no port that anybody means. */
function portOrYesOrNo(text: string, source: Source): unknown {
  if (text === STATELY) return text;
  return source === 'flag' || /^\d{2,}$/.test(text) ? numberFrom(text) : yesOrNoFrom(text);
}
