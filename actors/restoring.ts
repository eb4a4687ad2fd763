import { QuorateError } from '../src/errors/quorate-error.js';
import type { Index } from '../src/raft/numbers-and-ids.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { Clock } from '../src/seams/clock.js';
import { mayOpenLater } from '../src/seams/disk.js';
import type { SnapshotReader, SnapshotStore } from '../src/seams/snapshot-store.js';
import type { Restore, StateMachine } from '../src/seams/state-machine.js';

export interface RestoringOptions {
  readonly store: Pick<SnapshotStore, 'read'>;
  /** Those to try, one after another: a damaged one gives way to the next. */
  readonly snapshots: readonly Snapshot[];
  readonly begin: () => Restore;
  readonly clock: Clock;
}

/** The snapshot that was restored, if one was whole, and a sentence for each that was not. */
export interface Restored {
  /** Null where none was whole. */
  readonly snapshot: Snapshot | null;
  readonly damaged: readonly string[];
}

type Done = (error: Error | undefined, restored?: Restored) => void;

/** Restoring gives way to sockets and timers after this long. */
const SPELL_MS = 5;
const OPENED_AGAIN_AFTER_MS = 100;

/** Restores a state machine from the first of several snapshots that is whole. Nothing of a damaged one shows. */
export class Restoring {
  readonly #options: RestoringOptions;
  readonly #done: Done;
  readonly #damaged: string[] = [];
  #reader: SnapshotReader | undefined;
  #restore: Restore | undefined;
  #at = 0;
  #busySinceMs = 0;
  #isStopped = false;

  constructor(options: RestoringOptions, done: Done) {
    this.#options = options;
    this.#done = done;
  }

  start(): void {
    const { store, snapshots, clock } = this.#options;
    const snapshot = snapshots[this.#at];
    if (snapshot === undefined) return this.#done(undefined, { snapshot: null, damaged: this.#damaged });
    store.read(snapshot, (error, reader) => {
      if (this.#isStopped) return reader?.close();
      if (reader === undefined) return this.#notOpened(error as Error);
      this.#reader = reader;
      this.#busySinceMs = clock.now();
      this.#guard(() => {
        this.#restore = this.#options.begin();
        this.#readOn(reader, snapshot);
      });
    });
  }

  /** A process that has no descriptor left tries again until it has one: the file is there (P42). */
  #notOpened(error: Error): void {
    if (!mayOpenLater(error)) return this.#failed(error);
    this.#options.clock.setTimeout(() => {
      if (!this.#isStopped) this.start();
    }, OPENED_AGAIN_AFTER_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#letGo();
  }

  /** Piece by piece, in a loop where pieces lie in memory already. */
  #readOn(reader: SnapshotReader, snapshot: Snapshot): void {
    const { clock } = this.#options;
    let isInMemory = true;
    while (isInMemory) {
      isInMemory = false;
      let isCalling = true;
      reader.next((error, chunk) => {
        if (this.#isStopped) return;
        this.#guard(() => {
          if (error !== undefined) return this.#failed(error);
          if (chunk === undefined) return this.#finish(snapshot);
          this.#restore?.write(chunk);
          if (clock.now() - this.#busySinceMs > SPELL_MS) return this.#giveWay(reader, snapshot);
          if (isCalling) isInMemory = true;
          else this.#readOn(reader, snapshot);
        });
      });
      isCalling = false;
    }
  }

  #giveWay(reader: SnapshotReader, snapshot: Snapshot): void {
    this.#options.clock.defer(() => {
      if (this.#isStopped) return;
      this.#busySinceMs = this.#options.clock.now();
      this.#readOn(reader, snapshot);
    });
  }

  #finish(snapshot: Snapshot): void {
    this.#restore?.finish();
    this.#restore = undefined;
    this.#letGo();
    this.#done(undefined, { snapshot, damaged: this.#damaged });
  }

  #failed(error: Error): void {
    this.#letGo();
    if (!(error instanceof QuorateError) || error.code !== 'QUORATE_DATA_DAMAGED') return this.#done(error);
    this.#damaged.push(error.message);
    this.#at += 1;
    this.start();
  }

  #letGo(): void {
    this.#restore?.abort();
    this.#restore = undefined;
    this.#reader?.close();
    this.#reader = undefined;
  }

  /** An error of a user's `restore` ends the attempt: another snapshot would fare no better. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.stop();
      const why = cause instanceof Error ? cause.message : String(cause);
      this.#done(new Error(`the state machine's restore failed: ${why}`, { cause }));
    }
  }
}

/** Nothing brings the state machine to where the log begins. */
export function unreachable(
  { restore }: StateMachine<unknown, unknown>,
  previous: Index,
  damaged: readonly string[],
): QuorateError {
  const begins = `the log begins behind entry ${previous}, because a snapshot stands for what came before`;
  if (restore === undefined) {
    const what = `${begins}, and this state machine has no restore to take one in: start this node with the state machine that it had`;
    return new QuorateError('QUORATE_CONFIG_INVALID', what);
  }
  const why = damaged.length === 0 ? 'there is none that reaches so far' : damaged.join('; ');
  return new QuorateError('QUORATE_DATA_DAMAGED', `${begins}: ${why}`);
}
