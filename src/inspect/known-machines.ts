import type { AnyStateMachine } from 'xstate';
import { definitionOf } from './definition.js';
import type { StateDefinition } from './stream.js';

/** Names the machines of one system, each once: many actors run the same one. */
export class KnownMachines {
  readonly #tell: (machine: string, definition: StateDefinition) => void;
  /** By the configuration, which what `provide` makes has in common with what it was made from. */
  readonly #byConfig = new WeakMap<object, string>();
  /** Machines that are made anew for each actor look the same, too. */
  readonly #byText = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  constructor(tell: (machine: string, definition: StateDefinition) => void) {
    this.#tell = tell;
  }

  /** The name of the machine, which is told of first if it is new. */
  nameOf(machine: AnyStateMachine): string {
    const known = this.#byConfig.get(machine.config);
    if (known !== undefined) return known;
    const name = this.nameOfDefinition(definitionOf(machine));
    this.#byConfig.set(machine.config, name);
    return name;
  }

  nameOfDefinition(definition: StateDefinition): string {
    const text = JSON.stringify(definition);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const count = (this.#counts.get(definition.id) ?? 0) + 1;
    this.#counts.set(definition.id, count);
    const name = count === 1 ? definition.id : `${definition.id} (${count})`;
    this.#byText.set(text, name);
    this.#tell(name, definition);
    return name;
  }
}
