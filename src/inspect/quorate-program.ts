import type { Program, ProgramOptions } from './stately-program.js';
import type { InspectionMessage, InspectionSystem } from './stream.js';

const TYPES: readonly InspectionMessage['type'][] = [
  'system',
  'machine',
  'actor',
  'event',
  'snapshot',
  'folded',
  'gone',
];

/** Most systems that one program may have at the same time. */
const MOST_SYSTEMS = 256;

/** A program that sends the inspection stream itself, as `createInspector({ url })` does: it may hold several systems. */
export class QuorateProgram implements Program {
  readonly #options: ProgramOptions;
  readonly #systems = new Map<string, InspectionSystem>();

  constructor(options: ProgramOptions) {
    this.#options = options;
  }

  take(given: unknown): void {
    const message = Object(given) as InspectionMessage;
    if (!TYPES.includes(message.type) || message.type === 'hello' || typeof message.system !== 'string') return;
    // Two programs may call their systems alike.
    const placed = { ...message, system: `${this.#options.system}/${message.system}` };
    const isNew = !this.#systems.has(placed.system);
    if (isNew && (placed.type !== 'system' || this.#systems.size >= MOST_SYSTEMS)) return;
    if (placed.type === 'system') this.#note(placed);
    this.#options.publish(placed);
  }

  #note(system: InspectionSystem): void {
    if (system.connected === true) this.#systems.set(system.system, system);
    else this.#systems.delete(system.system);
  }

  leave(): void {
    for (const system of this.#systems.values()) this.#options.publish({ ...system, connected: false });
  }
}
