import { INSPECTION_VERSION, type InspectionMessage, type InspectionSystem } from '../../../inspect/stream.js';
import { SystemHistory } from './system-history.js';

/** Most programs that have gone and can still be looked at. */
const MOST_GONE = 8;

/** The content of an inspection stream, live or recorded, up to now: each program with its actors, machines and events. */
export class InspectionModel {
  readonly systems = new Map<string, SystemHistory>();
  /** Counts up with each message: a view is current if it was drawn from this number. */
  version = 0;
  /** By how much the source's clock is ahead of ours, ms; null before it said hello. */
  #clockOffsetMs: number | null = null;
  /** By the source's clock; null before anything happened. */
  #newestMs: number | null = null;

  /** @throws Error where the stream speaks a version that this page does not know */
  take(message: InspectionMessage, nowMs: number): void {
    this.version += 1;
    if (message.type === 'hello') return this.#hello(message.version, message.atMs - nowMs);
    if (message.type === 'system') return this.#system(message);
    if (message.type === 'event' || message.type === 'snapshot') this.#newestMs = message.atMs;
    const system = this.systems.get(message.system);
    if (message.type === 'machine') system?.learn(message.machine, message.definition);
    else system?.take(message);
  }

  /** How old the newest event or snapshot is, ms; null where none has come. Right after one has come, this is how late it was. */
  ageMs(nowMs: number): number | null {
    if (this.#newestMs === null || this.#clockOffsetMs === null) return null;
    return Math.max(0, nowMs + this.#clockOffsetMs - this.#newestMs);
  }

  #hello(version: number, clockOffsetMs: number): void {
    if (version !== INSPECTION_VERSION) {
      throw new Error(
        `expected an inspection stream of version ${INSPECTION_VERSION}, got ${version}: load this page again`,
      );
    }
    this.#clockOffsetMs = clockOffsetMs;
    for (const system of this.systems.values()) {
      system.beginAgain();
      // The next messages tell which programs are there.
      system.info = { ...system.info, connected: false };
    }
  }

  #system(info: InspectionSystem): void {
    const known = this.systems.get(info.system);
    const system = known ?? new SystemHistory(info);
    const isGone = !info.connected && known?.info.connected !== false;
    system.info = info;
    // Those that left last are the last.
    if (isGone) this.systems.delete(info.system);
    this.systems.set(info.system, system);
    this.#forgetGone();
  }

  #forgetGone(): void {
    const gone = [...this.systems.values()].filter(({ info }) => !info.connected);
    for (const { info } of gone.slice(0, Math.max(0, gone.length - MOST_GONE))) this.systems.delete(info.system);
  }
}
