import type { NodeId } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import type { SnapshotServing } from '../src/seams/snapshot-source.js';
import type { SnapshotFile } from '../src/seams/snapshot-store.js';
import type { FetchAnswer, FetchRequest } from './snapshot-frames.js';

/** More are told to wait: each takes a connection, a file and some hundred kilobytes. */
export const MOST_FETCHES = 4;
/** A file stays for so long after a connection has broken, so that its fetch can be resumed. */
const RESUMED_WITHIN_MS = 30_000;

/** One connection on which a file is sent. */
export interface ServedFetch {
  readonly peer: NodeId;
  /** The same peer has come again: whatever is under way here is nobody's any more. */
  replaced(): void;
}

type Begun = (answer: FetchAnswer, file?: SnapshotFile) => void;

/** The fetches that a node serves: a few at a time, and one for each peer, whose newest connection counts. */
export class ServedFetches {
  readonly #clock: Clock;
  readonly #serving: SnapshotServing;
  readonly #fetches = new Map<NodeId, ServedFetch>();
  /** Files of connections that broke, each with the timer that lets go of it. */
  readonly #kept = new Map<NodeId, { readonly file: SnapshotFile; readonly timer: unknown }>();

  constructor(clock: Clock, serving: SnapshotServing) {
    this.#clock = clock;
    this.#serving = serving;
  }

  /** Begins to serve. Whatever the answer is, `end` is to be called at the end of `fetch`, with the file where there was one. */
  begin(fetch: ServedFetch, { wanted, from }: FetchRequest, begun: Begun): void {
    const { peer } = fetch;
    this.#fetches.get(peer)?.replaced();
    if (this.#fetches.size >= MOST_FETCHES) {
      const reason = `${this.#fetches.size} nodes are sent snapshots, and no more at a time: ask again in a while`;
      return begun({ kind: 'busy', reason });
    }
    this.#fetches.set(peer, fetch);
    this.#serving.store.readFile(wanted, from, (_, file) => {
      if (this.#fetches.get(peer) !== fetch) return file?.close();
      this.#letGo(peer);
      if (file !== undefined) return begun({ kind: 'begins', bytes: file.snapshot.bytes }, file);
      const reason = `there is no snapshot at entry ${wanted.index} of term ${wanted.term} any more`;
      begun({ kind: 'gone', reason });
    });
  }

  /** `file` is the one that `begin` gave. It stays for a while unless all of it was sent. */
  end(fetch: ServedFetch, file: SnapshotFile | undefined, isWhole: boolean): void {
    const { peer } = fetch;
    if (this.#fetches.get(peer) === fetch) this.#fetches.delete(peer);
    if (file === undefined) return;
    if (isWhole) return file.close();
    this.#letGo(peer);
    const timer = this.#clock.setTimeout(() => this.#letGo(peer), RESUMED_WITHIN_MS);
    this.#kept.set(peer, { file, timer });
  }

  /** Ends all that are under way. */
  stop(): void {
    for (const fetch of [...this.#fetches.values()]) fetch.replaced();
    for (const peer of [...this.#kept.keys()]) this.#letGo(peer);
  }

  #letGo(peer: NodeId): void {
    const kept = this.#kept.get(peer);
    if (kept === undefined) return;
    this.#kept.delete(peer);
    this.#clock.clearTimeout(kept.timer);
    kept.file.close();
  }
}
