import { type ContextRow, contextTree, NO_BRANCHES } from './model/context-rows.js';

type Payload = Readonly<Record<string, unknown>> | null;

const SHOWN_LINES = 24;

const rowsOf = (payload: Payload): readonly ContextRow[] => contextTree(payload, undefined, NO_BRANCHES).rows;

/** How many lines a payload takes when it is shown. */
export function payloadLines(payload: Payload): number {
  return Math.max(1, Math.min(SHOWN_LINES, rowsOf(payload).length));
}

/** The payload of an event, a line for each key. */
export function PayloadTable({ payload }: { readonly payload: Payload }) {
  const rows = rowsOf(payload);
  const width = Math.min(18, Math.max(0, ...rows.map(({ key, depth }) => key.length + depth * 2)));
  return (
    <div class="payload">
      {rows.length === 0 ? <div>no payload</div> : null}
      {rows.slice(0, SHOWN_LINES).map((row, at) => (
        <div key={row.path} title={row.text}>
          {at === SHOWN_LINES - 1 && rows.length > SHOWN_LINES
            ? `… and ${rows.length - at} lines more`
            : `${`${'  '.repeat(row.depth)}${row.key}`.padEnd(width + 1)}${row.text}`}
        </div>
      ))}
    </div>
  );
}
