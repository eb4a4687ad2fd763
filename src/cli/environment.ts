import { closest, differences, MOST_DIFFERENCES } from '../errors/spelling.js';
import { SERVE_OPTIONS } from './serve-options.js';

/** The variables that `quorate serve` and the other commands read. */
const VARIABLES: readonly string[] = [
  ...SERVE_OPTIONS.map(({ serve }) => serve.variable),
  ...['CONFIG', 'NODES', 'PORT', 'INSPECTOR_PORT', 'ENDPOINTS', 'TIMEOUT', 'ENDS_WITH_INPUT', 'PLAIN_XSTATE'].map(
    (name) => `QUORATE_${name}`,
  ),
];
/** The settings that have no prefix: their names are so long that whatever is nearly the same is meant for them. */
const UNPREFIXED = VARIABLES.filter((name) => !name.startsWith('QUORATE_'));

/** Kubernetes gives these to every container that runs beside a service named quorate. */
const OF_KUBERNETES = /^QUORATE(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/;

/** Names a variable that is set and misspelled, which would silently not count; undefined where there is none. */
export function problemWithVariables(environment: NodeJS.ProcessEnv): string | undefined {
  const unknown = Object.keys(environment).find((name) => isMisspelled(name) && !OF_KUBERNETES.test(name));
  if (unknown === undefined) return undefined;
  const near = meant(unknown.toUpperCase());
  const hint =
    near === undefined
      ? 'names that begin with QUORATE_ are reserved for those that the reference lists.'
      : `did you mean ${near}?`;
  return `${unknown} is set in the environment, and there is no such option: ${hint} Correct or unset it`;
}

function isMisspelled(name: string): boolean {
  if (VARIABLES.includes(name)) return false;
  if (/^QUORATE_/i.test(name)) return true;
  return UNPREFIXED.some((setting) => differences(name.toUpperCase(), setting) <= MOST_DIFFERENCES);
}

/** Undefined where it is near none: a guess would lead astray. */
function meant(name: string): string | undefined {
  const bare = name.replace(/^QUORATE_/, '');
  const setting = closest(bare, UNPREFIXED);
  if (differences(bare, setting) <= MOST_DIFFERENCES) return setting;
  const variable = closest(name, VARIABLES);
  return differences(name, variable) <= bare.length / 3 ? variable : undefined;
}
