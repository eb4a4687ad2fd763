import { invariant } from '../raft/invariant.js';
import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Snapshot, SnapshotMark } from '../raft/snapshot.js';
import type { DiskError, DiskFile } from '../seams/disk.js';
import type {
  FoundSnapshots,
  IncomingSnapshot,
  SnapshotFile,
  SnapshotReader,
  SnapshotStore,
  SnapshotWriter,
} from '../seams/snapshot-store.js';
import { MalformedBytes } from '../wire/bytes.js';
import type { SnapshotFilesOptions } from './found-snapshots.js';
import { findSnapshots, readSnapshotHeader } from './found-snapshots.js';
import { IncomingSnapshotFile } from './incoming-snapshot.js';
import { damagedSnapshot } from './log-failures.js';
import { OutgoingSnapshotFile } from './outgoing-snapshot.js';
import type { SnapshotHeader } from './snapshot-format.js';
import {
  INCOMING_SNAPSHOT,
  snapshotIndexOf,
  snapshotName,
  snapshotOf,
  UNFINISHED_SNAPSHOT,
} from './snapshot-format.js';
import { SnapshotFileReader } from './snapshot-reader.js';
import { SnapshotFileWriter } from './snapshot-writer.js';

export type { SnapshotFilesOptions } from './found-snapshots.js';

/** Snapshots as files of a data directory, one for each, named by its index. */
export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  /** By index, the newest first. */
  #snapshots: readonly Snapshot[] = [];
  /** The indexes of files that are no whole snapshots. */
  #damaged: readonly Index[] = [];
  /** How many files are open, and how many other calls are under way. */
  #held = 0;
  readonly #writing = new Turn();
  readonly #receiving = new Turn();
  /** How often each file is being sent: it stays until nobody reads it any more (P28). */
  readonly #sent = new Map<Index, number>();
  /** What `discardOld` was called with last, where it left something over. */
  #discards: readonly Index[] | undefined;
  #isDiscarding = false;
  #isClosed = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: SnapshotFilesOptions) {
    this.#options = options;
  }

  open(done: (error: Error | undefined, found?: FoundSnapshots) => void): void {
    const { disk } = this.#options;
    this.#held += 1;
    const finish = (error: Error | undefined, found?: FoundSnapshots): void => {
      this.#release();
      done(error, found);
    };
    disk.list((error, names) => {
      if (error !== undefined) return finish(error);
      // One that was being written, or came in, when the process ended is nobody's (P58).
      const unfinished = [UNFINISHED_SNAPSHOT, INCOMING_SNAPSHOT].filter((name) => names.includes(name));
      const next = (): void => {
        const name = unfinished.pop();
        if (name !== undefined) disk.remove(name, next);
        else findSnapshots(this.#options, names, listed);
      };
      const listed: typeof finish = (findError, found) => {
        if (found !== undefined) this.#noteFound(found.snapshots, names);
        finish(findError, found);
      };
      next();
    });
  }

  create(mark: SnapshotMark, done: (error: Error | undefined, writer?: SnapshotWriter) => void): void {
    const name = UNFINISHED_SNAPSHOT;
    this.#begin(this.#writing, name, done, (aside) =>
      done(undefined, new SnapshotFileWriter({ ...this.#options, ...aside, name, mark })),
    );
  }

  receive(
    wanted: LogPosition,
    bytes: number,
    done: (error: Error | undefined, incoming?: IncomingSnapshot) => void,
  ): void {
    const name = INCOMING_SNAPSHOT;
    this.#begin(this.#receiving, name, done, (aside) =>
      done(undefined, new IncomingSnapshotFile({ ...this.#options, ...aside, name, wanted, bytes })),
    );
  }

  read(snapshot: Snapshot, done: (error: Error | undefined, reader?: SnapshotReader) => void): void {
    const { checksum } = this.#options;
    const released = (): void => this.#release();
    const failed = (error: Error | undefined): void => {
      const isDamaged = error instanceof MalformedBytes;
      done(isDamaged ? damagedSnapshot(snapshotName(snapshot.index), 0, error.message) : error);
    };
    this.#openWhole(snapshot.index, failed, (file, header) =>
      done(undefined, new SnapshotFileReader({ file, header, checksum, released })),
    );
  }

  readFile(wanted: LogPosition, from: number, done: (error: Error | undefined, file?: SnapshotFile) => void): void {
    const { index, term } = wanted;
    const isKept = (): boolean =>
      this.#snapshots.some((one) => one.index === index && one.term === term && from <= one.bytes);
    if (!isKept()) return done(undefined);
    this.#sent.set(index, (this.#sent.get(index) ?? 0) + 1);
    const released = (): void => {
      this.#noLongerSent(index);
      this.#release();
    };
    const failed = (error: DiskError | undefined): void => {
      this.#noLongerSent(index);
      const wasDiscarded = error?.code === 'ENOENT' && (this.#isDiscarding || !isKept());
      done(wasDiscarded ? undefined : error);
    };
    this.#openWhole(index, failed, (file, header) => {
      const { checksum } = this.#options;
      const snapshot = snapshotOf(header);
      done(undefined, new OutgoingSnapshotFile({ file, snapshot, from, checksum, released }));
    });
  }

  discardOld(kept: readonly Index[]): void {
    const newest = this.#snapshots.find(({ index }) => kept.includes(index))?.index ?? NO_INDEX;
    const there = [...this.#snapshots.map(({ index }) => index), ...this.#damaged];
    const old = there.filter((index) => index < newest && !kept.includes(index));
    const unused = old.filter((index) => !this.#sent.has(index));
    this.#discards = unused.length < old.length ? kept : undefined;
    if (this.#isDiscarding || this.#isClosed || unused.length === 0) return;
    this.#isDiscarding = true;
    this.#held += 1;
    const next = (): void => {
      const index = unused.pop();
      if (index === undefined || this.#isClosed) return this.#discarded();
      if (this.#sent.has(index)) return next();
      this.#options.disk.remove(snapshotName(index), (error) => {
        if (error !== undefined && error.code !== 'ENOENT') return this.#discarded();
        this.#forget(index);
        next();
      });
    };
    next();
  }

  close(done: () => void): void {
    this.#isClosed = true;
    this.#writing.forget();
    this.#receiving.forget();
    this.#whenIdle = done;
    if (this.#held === 0) this.#idle();
  }

  /** Begins a file aside, once the one of its kind before it is done. */
  #begin(
    turn: Turn,
    name: string,
    failed: (error: Error) => void,
    begun: (aside: {
      readonly file: DiskFile;
      readonly finished: (snapshot: Snapshot) => void;
      readonly released: () => void;
    }) => void,
  ): void {
    const { disk } = this.#options;
    turn.take(() => {
      this.#held += 1;
      const released = (): void => {
        turn.end();
        this.#release();
      };
      disk.remove(name, () => {
        disk.open(name, 'create', (error, file) => {
          if (error === undefined) return begun({ file, finished: (snapshot) => this.#add(snapshot), released });
          released();
          failed(error);
        });
      });
    });
  }

  /** Opens a snapshot's file, to be read by one who lets go of it with `#release`. */
  #openWhole(
    index: Index,
    failed: (error: Error | undefined) => void,
    opened: (file: DiskFile, header: SnapshotHeader) => void,
  ): void {
    const name = snapshotName(index);
    this.#held += 1;
    this.#options.disk.open(name, 'read', (openError, file) => {
      if (openError !== undefined) {
        this.#release();
        return failed(openError);
      }
      readSnapshotHeader(this.#options, file, name, (error, header) => {
        if (header !== undefined) return opened(file, header);
        file.close(() => {
          this.#release();
          failed(error);
        });
      });
    });
  }

  #noteFound(snapshots: readonly Snapshot[], names: readonly string[]): void {
    this.#snapshots = snapshots;
    const isWhole = (index: Index): boolean => snapshots.some((snapshot) => snapshot.index === index);
    this.#damaged = names.flatMap((name) => snapshotIndexOf(name) ?? []).filter((index) => !isWhole(index));
  }

  #add(snapshot: Snapshot): void {
    this.#forget(snapshot.index);
    this.#snapshots = [...this.#snapshots, snapshot].sort((a, b) => b.index - a.index);
  }

  #forget(gone: Index): void {
    this.#snapshots = this.#snapshots.filter(({ index }) => index !== gone);
    this.#damaged = this.#damaged.filter((index) => index !== gone);
  }

  #noLongerSent(index: Index): void {
    const left = (this.#sent.get(index) ?? 0) - 1;
    invariant(left >= 0, 'a file is let go of by those who read it');
    if (left > 0) return void this.#sent.set(index, left);
    this.#sent.delete(index);
    if (this.#discards !== undefined) this.discardOld(this.#discards);
  }

  #discarded(): void {
    this.#isDiscarding = false;
    this.#release();
  }

  #release(): void {
    this.#held -= 1;
    if (this.#held === 0) this.#idle();
  }

  #idle(): void {
    const then = this.#whenIdle;
    this.#whenIdle = undefined;
    then?.();
  }
}

/** Lets one file of a kind be written at a time. One who comes meanwhile waits; a second one who does takes its place. */
class Turn {
  #isTaken = false;
  #next: (() => void) | undefined;

  take(begin: () => void): void {
    if (this.#isTaken) {
      this.#next = begin;
      return;
    }
    this.#isTaken = true;
    begin();
  }

  end(): void {
    this.#isTaken = false;
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) this.take(next);
  }

  forget(): void {
    this.#next = undefined;
  }
}
