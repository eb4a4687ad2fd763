import { invariant } from '../raft/invariant.js';
import type { Index, LogPosition } from '../raft/numbers-and-ids.js';
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
import type { SnapshotFilesOptions } from './found-snapshots.js';
import { findSnapshots, readSnapshotHeader } from './found-snapshots.js';
import { IncomingSnapshotFile } from './incoming-snapshot.js';
import { OutgoingSnapshotFile } from './outgoing-snapshot.js';
import type { SnapshotHeader } from './snapshot-format.js';
import { INCOMING_SNAPSHOT, snapshotName, snapshotOf, UNFINISHED_SNAPSHOT } from './snapshot-format.js';
import { SnapshotFileReader } from './snapshot-reader.js';
import { SnapshotFileWriter } from './snapshot-writer.js';

export type { SnapshotFilesOptions } from './found-snapshots.js';

const KEPT = 2;

/** Snapshots as files of a data directory, one for each, named by its index. */
export class SnapshotFiles implements SnapshotStore {
  readonly #options: SnapshotFilesOptions;
  /** By index, the newest first. */
  #snapshots: readonly Snapshot[] = [];
  /** How many files are open, and how many other calls are under way. */
  #held = 0;
  readonly #writing = new Turn();
  readonly #receiving = new Turn();
  /** How often each file is being sent: it stays until nobody reads it any more (P28). */
  readonly #sent = new Map<Index, number>();
  /** What `discardOld` was called with last, where it left something over. */
  #discardsUpTo: Index | undefined;
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
      if (found !== undefined) this.#snapshots = found.snapshots;
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
        else findSnapshots(this.#options, names, finish);
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
    this.#openWhole(snapshot.index, done, (file, header) =>
      done(undefined, new SnapshotFileReader({ file, header, checksum, released })),
    );
  }

  readFile(wanted: LogPosition, from: number, done: (error: Error | undefined, file?: SnapshotFile) => void): void {
    const { index, term } = wanted;
    const isThere = this.#snapshots.some((one) => one.index === index && one.term === term && from <= one.bytes);
    if (!isThere) return done(undefined);
    this.#sent.set(index, (this.#sent.get(index) ?? 0) + 1);
    const released = (): void => {
      this.#noLongerSent(index);
      this.#release();
    };
    const failed = (error: DiskError | undefined): void => {
      this.#noLongerSent(index);
      done(error?.code === 'ENOENT' ? undefined : error);
    };
    this.#openWhole(index, failed, (file, header) => {
      const snapshot = snapshotOf(header);
      done(undefined, new OutgoingSnapshotFile({ file, snapshot, from, released }));
    });
  }

  discardOld(previous: Index): void {
    const old = this.#snapshots.filter(({ index }, at) => at >= KEPT || (at > 0 && index < previous));
    const unused = old.filter(({ index }) => !this.#sent.has(index));
    this.#discardsUpTo = unused.length < old.length ? previous : undefined;
    if (this.#isDiscarding || this.#isClosed || unused.length === 0) return;
    this.#isDiscarding = true;
    this.#held += 1;
    const next = (): void => {
      const snapshot = unused.pop();
      if (snapshot === undefined || this.#isClosed) return this.#discarded();
      if (this.#sent.has(snapshot.index)) return next();
      this.#options.disk.remove(snapshotName(snapshot.index), (error) => {
        if (error !== undefined && error.code !== 'ENOENT') return this.#discarded();
        this.#snapshots = this.#snapshots.filter((one) => one !== snapshot);
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

  #add(snapshot: Snapshot): void {
    const others = this.#snapshots.filter(({ index }) => index !== snapshot.index);
    this.#snapshots = [...others, snapshot].sort((a, b) => b.index - a.index);
  }

  #noLongerSent(index: Index): void {
    const left = (this.#sent.get(index) ?? 0) - 1;
    invariant(left >= 0, 'a file is let go of by those who read it');
    if (left > 0) return void this.#sent.set(index, left);
    this.#sent.delete(index);
    if (this.#discardsUpTo !== undefined) this.discardOld(this.#discardsUpTo);
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
