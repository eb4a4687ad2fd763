import type { AnyStateMachine } from 'xstate';
import { definitionOf } from './definition.js';
import type { StateDefinition } from './stream.js';

/** A program that makes a new machine for each actor must not fill the memory of whoever looks: later ones have no chart. */
export const MOST_MACHINES = 1_000;

/** Names the machines of one system, each once: many actors run the same one. */
export class KnownMachines {
  readonly #tell: (machine: string, definition: StateDefinition) => void;
  /** By the configuration, which what `provide` makes has in common with what it was made from. */
  readonly #byConfig = new WeakMap<object, string | null>();
  /** Machines that are made anew for each actor look the same, too. */
  readonly #byText = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(tell: (machine: string, definition: StateDefinition) => void) {
    this.#tell = tell;
  }

  /** The name of the machine, which is told of first if it is new; null where there are too many already. */
  nameOf(machine: AnyStateMachine): string | null {
    const known = this.#byConfig.get(machine.config);
    if (known !== undefined) return known;
    const name = this.nameOfDefinition(definitionOf(machine));
    this.#byConfig.set(machine.config, name);
    return name;
  }

  nameOfDefinition(definition: StateDefinition): string | null {
    const text = JSON.stringify(definition);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= MOST_MACHINES) return null;
    const count = (this.#counts.get(definition.id) ?? 0) + 1;
    this.#counts.set(definition.id, count);
    const name = count === 1 ? definition.id : `${definition.id} (${count})`;
    this.#byText.set(text, name);
    this.#tell(name, definition);
    return name;
  }
}
