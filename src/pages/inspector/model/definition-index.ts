import type { StateDefinition } from '../../../inspect/stream.js';

/** The states of one machine, found by their id or path, each with its parent. */
export class DefinitionIndex {
  readonly root: StateDefinition;
  readonly #byId = new Map<string, StateDefinition>();
  readonly #byPath = new Map<string, StateDefinition>();
  readonly #parents = new Map<StateDefinition, StateDefinition>();

  constructor(root: StateDefinition) {
    this.root = root;
    this.#add(root);
  }

  /** Every state, each after the one that holds it. */
  all(): readonly StateDefinition[] {
    return [...this.#byPath.values()];
  }

  byId(id: string): StateDefinition | undefined {
    return this.#byId.get(id);
  }

  byPath(path: string): StateDefinition | undefined {
    return this.#byPath.get(path);
  }

  parentOf(state: StateDefinition): StateDefinition | undefined {
    return this.#parents.get(state);
  }

  /** The states that become active when a state is entered: the state, its ancestors and its initial states. */
  enteredBy(state: StateDefinition): readonly string[] {
    const ancestors: string[] = [];
    for (let up = this.parentOf(state); up !== undefined; up = this.parentOf(up)) ancestors.push(up.path);
    return [...ancestors, ...initialPaths(state)].filter((path) => path !== '');
  }

  #add(state: StateDefinition): void {
    this.#byId.set(state.id, state);
    this.#byPath.set(state.path, state);
    for (const child of state.states) {
      this.#parents.set(child, state);
      this.#add(child);
    }
  }
}

function initialPaths(state: StateDefinition): readonly string[] {
  const entered = state.type === 'parallel' ? state.states : state.states.filter(({ key }) => key === state.initial);
  return [state.path, ...entered.flatMap(initialPaths)];
}
