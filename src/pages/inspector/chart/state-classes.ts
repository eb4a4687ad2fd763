import type { StateDefinition } from '../../../inspect/stream.js';
import type { Lit } from './lit.js';

/** The classes of a state's box: what it is, and how it is lit. `depth` is 1 for the root's children. */
export function stateClasses(
  state: StateDefinition,
  parent: StateDefinition | undefined,
  depth: number,
  lit: Lit,
): string {
  const { path } = state;
  const kind = state.states.length === 0 ? 'leaf' : depth % 2 === 1 ? 'compound odd' : 'compound even';
  const isRegion = parent?.type === 'parallel';
  const how = lit.leaves.has(path)
    ? 'active-leaf'
    : lit.active.has(path)
      ? 'active'
      : lit.visited(path)
        ? ''
        : 'unvisited';
  return `state ${kind} ${isRegion ? 'region' : ''} ${how}`;
}
