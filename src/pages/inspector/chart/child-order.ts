import type { StateDefinition } from '../../../inspect/stream.js';
import type { DefinitionIndex } from '../model/definition-index.js';

/** The children of a state as they are drawn: as changes lead to them from the initial one, nearest first; regions as they are defined. */
export function childOrder(index: DefinitionIndex, state: StateDefinition): readonly StateDefinition[] {
  if (state.type === 'parallel') return state.states;
  const initial = state.states.find(({ key }) => key === state.initial);
  const ordered: StateDefinition[] = [];
  const visit = (queue: StateDefinition[]): void => {
    for (const child of queue) {
      if (ordered.includes(child)) continue;
      ordered.push(child);
      queue.push(...neighbours(index, state, child));
    }
  };
  if (initial !== undefined) visit([initial]);
  visit([...neighboursOf(index, state, state)]);
  for (const child of state.states) if (!ordered.includes(child)) visit([child]);
  return ordered;
}

/** Siblings that a change in a child, or below it, leads to. */
function neighbours(
  index: DefinitionIndex,
  parent: StateDefinition,
  child: StateDefinition,
): readonly StateDefinition[] {
  return [child, ...descendants(child)].flatMap((state) => neighboursOf(index, parent, state));
}

function neighboursOf(
  index: DefinitionIndex,
  parent: StateDefinition,
  state: StateDefinition,
): readonly StateDefinition[] {
  return state.transitions.flatMap(({ targets }) => targets).flatMap((id) => childAbove(index, parent, id) ?? []);
}

/** The child of `parent` that is, or holds, a state. */
function childAbove(index: DefinitionIndex, parent: StateDefinition, id: string): StateDefinition | undefined {
  let state = index.byId(id);
  while (state !== undefined && index.parentOf(state) !== parent) state = index.parentOf(state);
  return state;
}

const descendants = (state: StateDefinition): readonly StateDefinition[] =>
  state.states.flatMap((child) => [child, ...descendants(child)]);
