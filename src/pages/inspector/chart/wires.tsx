import type { DefinitionIndex } from '../model/definition-index.js';
import { boxRows, type Detail } from './box-rows.js';
import type { Size } from './layout.js';
import type { Lit } from './lit.js';
import type { RoutedWire } from './route-job.js';
import { arrowHead, wireKey, wirePath } from './wire-wishes.js';

export interface WiresProps {
  readonly index: DefinitionIndex;
  readonly detail: Detail;
  readonly size: Size;
  readonly wires: readonly RoutedWire[];
  readonly lit: Lit;
}

/** The arrows. Rows and boxes say all that they say, so screen readers pass over them. */
export function Wires({ index, detail, size, wires, lit }: WiresProps) {
  const taken = takenKeys(index, detail, lit);
  const drawn = [...wires].sort((one, other) => Number(taken.has(one.key)) - Number(taken.has(other.key)));
  return (
    <svg class="wires" width={size.width} height={size.height} aria-hidden="true">
      {drawn.map(({ key, points }) => (
        <g key={key} class={taken.has(key) ? `taken flash-${lit.changedAt & 1}` : ''} data-wire={key}>
          <path class="way" d={wirePath(points)} />
          <path class="point" d={arrowHead(points)} />
        </g>
      ))}
    </svg>
  );
}

function takenKeys(index: DefinitionIndex, detail: Detail, lit: Lit): ReadonlySet<string> {
  const keys = lit.sources.flatMap((source) => {
    const state = index.byPath(source);
    if (state === undefined) return [];
    const rows = boxRows(index, state, detail === 'names' ? 'changes' : detail).changes;
    return rows
      .filter((row) => lit.isTaken(source, row))
      .flatMap((row) => row.targets.map((target) => wireKey(source, row, target)));
  });
  return new Set(keys);
}
