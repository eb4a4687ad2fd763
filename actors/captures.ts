import type { Entry } from '../src/raft/messages.js';
import type { Index, Term } from '../src/raft/numbers-and-ids.js';
import { advance } from '../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { LogStore, ReadLimits } from '../src/seams/log-store.js';
import type { Capture, StateMachine } from '../src/seams/state-machine.js';
import type { ApplierReport } from './events.js';

export interface CapturesOptions {
  readonly store: Pick<LogStore, 'read'>;
  readonly stateMachine: StateMachine<unknown, unknown>;
  readonly snapshots?: object | undefined;
  /** After so many bytes of entries a snapshot is due, or after as many as half of the last one has, where that is more. */
  readonly snapshotLogBytes?: number;
}

/** The last entry that an image holds. */
interface Position {
  readonly index: Index;
  readonly term: Term;
  readonly timeMs: number;
}

/** Each entry costs about so much in the log beside its payload. */
const ENTRY_OVERHEAD_BYTES = 64;
/** Two snapshots are kept with the log behind the older one: with so much of it between them that is three times the state on the disk. */
const LOG_FOR_A_SNAPSHOT = 0.5;
/** By so many entries the size of all that were applied before this start is told. */
const SAMPLE: ReadLimits = { maxEntries: 512, maxBytes: 1024 * 1024 };
const ONE: ReadLimits = { maxEntries: 1, maxBytes: 1 };
/** Until there is a snapshot the log lets go of nothing, so that another attempt comes after this part of what usually lies between two. */
const SOONER_AFTER_FAILURE = 0.25;

/** Captures images of a state machine between two batches, and says when the log has grown so much that a snapshot is due. */
export class Captures {
  readonly #options: CapturesOptions;
  readonly #report: (report: ApplierReport) => void;
  readonly #canCapture: boolean;
  #position: Position | undefined;
  #isAsked = false;
  /** Bytes of entries that were applied since the newest image. */
  #bytes = 0;
  #dueBytes: number;
  #isDue = false;

  constructor(options: CapturesOptions, report: (report: ApplierReport) => void) {
    const { stateMachine, snapshots } = options;
    this.#options = options;
    this.#report = report;
    this.#dueBytes = this.#leastBytes;
    this.#canCapture =
      snapshots !== undefined && stateMachine.capture !== undefined && stateMachine.restore !== undefined;
  }

  /**
   * The state machine keeps its state itself: nothing was restored, and what it has applied behind `last`, where the newest snapshot ends or
   * the log begins, is not applied again. It counts for the next snapshot as if it were, by the size of its first entries; and an image of it
   * can be taken before anything more is applied.
   */
  opened(applied: Index, last: Index): void {
    if (!this.#canCapture) return;
    this.#options.store.read(applied, ONE, (_, [entry] = []) => {
      this.#position ??= entry;
    });
    if (applied <= last) return;
    this.#options.store.read(advance(last, 1), SAMPLE, (_, entries = []) => {
      if (entries.length > 0) this.#bytes += (sizeOf(entries) / entries.length) * (applied - last);
    });
  }

  restored(snapshot: Snapshot): void {
    this.#position = snapshot;
    this.#bytes = 0;
    this.#dueBytes = this.#dueAfter(snapshot);
  }

  applied(entries: readonly Entry[]): void {
    if (!this.#canCapture) return;
    this.#bytes += sizeOf(entries);
    this.#position = entries.at(-1) as Entry;
    if (this.#isDue || this.#bytes < this.#dueBytes) return;
    this.#isDue = true;
    this.#report({ type: 'snapshot.due' });
  }

  ask(): void {
    this.#isAsked = true;
  }

  takeIfAsked(): void {
    if (!this.#isAsked) return;
    const position = this.#position;
    if (!this.#canCapture) return this.refuse(this.#whyNone());
    if (position === undefined) return this.refuse('nothing was applied since this node was started');
    this.#isAsked = false;
    this.#bytes = 0;
    const { index, term, timeMs } = position;
    try {
      const capture = this.#options.stateMachine.capture?.() as Capture;
      this.#report({ type: 'state.captured', capture, index, term, timeMs });
    } catch (error) {
      this.#report({ type: 'capture.failed', reason: `the state machine's capture failed: ${wordsOf(error)}` });
    }
  }

  refuse(reason: string): void {
    if (!this.#isAsked) return;
    this.#isAsked = false;
    this.#report({ type: 'capture.failed', reason });
  }

  /** Another one is due when as much has been applied again; where nothing came of this one, as on a full disk, when a quarter of that has. */
  ended(snapshot: Snapshot | undefined): void {
    this.#isDue = false;
    if (snapshot !== undefined) this.#dueBytes = this.#dueAfter(snapshot);
    else this.#bytes = Math.max(this.#bytes, this.#dueBytes * (1 - SOONER_AFTER_FAILURE));
  }

  #dueAfter({ bytes }: Snapshot): number {
    return Math.max(this.#leastBytes, bytes * LOG_FOR_A_SNAPSHOT);
  }

  get #leastBytes(): number {
    return this.#options.snapshotLogBytes ?? Number.POSITIVE_INFINITY;
  }

  #whyNone(): string {
    if (this.#options.snapshots === undefined) return 'this node has no data directory of its own to keep snapshots in';
    return 'this state machine has no capture and restore';
  }
}

function sizeOf(entries: readonly Entry[]): number {
  let bytes = 0;
  for (const { payload } of entries) bytes += ENTRY_OVERHEAD_BYTES + payload.byteLength;
  return bytes;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
