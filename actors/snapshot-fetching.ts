import { QuorateError } from '../src/errors/quorate-error.js';
import type { InstallOrder } from '../src/raft/effects.js';
import type { Snapshot } from '../src/raft/snapshot.js';
import type { FetchProblem, SnapshotFetch, SnapshotSource } from '../src/seams/snapshot-source.js';
import type { IncomingSnapshot, SnapshotTransfers } from '../src/seams/snapshot-store.js';

export interface SnapshotFetchingOptions {
  readonly source: SnapshotSource;
  readonly store: Pick<SnapshotTransfers, 'receive'>;
  readonly order: InstallOrder;
  readonly events: FetchingEvents;
}

export interface FetchingEvents {
  /** The peer has answered. */
  begun(): void;
  /** So many bytes of the file are here. */
  progressed(received: number, bytes: number): void;
  /** All of them are. */
  arrived(): void;
  /** The file is whole and durable, and one of this node's snapshots. */
  finished(snapshot: Snapshot): void;
  /** `problem`: why the peer sends no more; `damaged`: what came is not its snapshot; `disk`: this node cannot keep it. */
  failed(problem: FetchProblem | 'damaged' | 'disk', reason: string): void;
}

/**
 * Fetches one snapshot's file of one peer, in as many attempts as it takes: each goes on with what is here already (P58). Files of
 * the same snapshot differ from node to node, so that nothing of one peer's is ever put together with another's.
 */
export class SnapshotFetching {
  readonly #options: SnapshotFetchingOptions;
  #incoming: IncomingSnapshot | undefined;
  #fetch: SnapshotFetch | undefined;
  /** Size of the file that is taken in. */
  #bytes = 0;
  /** Grows with each attempt: what an earlier one still brings does not count. */
  #attempt = 0;
  #isStopped = false;
  /** The disk is busy with what came last: what is here is counted once it is done. */
  #isWriting = false;
  #afterWriting: (() => void) | undefined;

  constructor(options: SnapshotFetchingOptions) {
    this.#options = options;
  }

  /** Asks for the bytes that are not here yet. */
  ask(): void {
    if (this.#isStopped) return;
    if (this.#isWriting) {
      this.#afterWriting = () => this.ask();
      return;
    }
    const { source, order } = this.#options;
    this.#attempt += 1;
    const attempt = this.#attempt;
    const isOver = (): boolean => this.#isStopped || this.#attempt !== attempt;
    this.#fetch = source.fetch(order.from, order.snapshot, this.#incoming?.written ?? 0, {
      begins: (bytes) => {
        if (!isOver()) this.#begins(bytes);
      },
      chunk: (bytes, taken) => {
        if (!isOver()) this.#take(bytes, taken, isOver);
      },
      ended: (error) => {
        if (isOver()) return;
        this.#fetch = undefined;
        if (error !== undefined) this.#fail(error.problem, error.message);
        else if (this.#isWriting) this.#afterWriting = () => this.#end();
        else this.#end();
      },
    });
  }

  #end(): void {
    const written = this.#incoming?.written ?? 0;
    if (written === this.#bytes) this.#options.events.arrived();
    else this.#discard('damaged', `it ended after ${written} of ${this.#bytes} bytes`);
  }

  /** Verifies the file and puts it in its place. */
  finish(): void {
    const { order, events } = this.#options;
    const incoming = this.#incoming;
    if (incoming === undefined) return this.#fail('damaged', 'nothing of it is here');
    incoming.finish((error, snapshot) => {
      this.#incoming = undefined;
      if (this.#isStopped) return;
      if (snapshot === undefined) return this.#fail(problemOf(error), wordsOf(error));
      const isWanted = snapshot.index === order.snapshot.index && snapshot.term === order.snapshot.term;
      if (isWanted) events.finished(snapshot);
      else this.#fail('damaged', `it is a snapshot of entry ${snapshot.index}`);
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#fetch?.cancel();
    this.#incoming?.abort();
    this.#incoming = undefined;
  }

  #begins(bytes: number): void {
    // Another file of the same snapshot: the peer took it anew.
    if (this.#incoming !== undefined && bytes !== this.#bytes)
      return this.#discard('damaged', `its file has ${bytes} bytes now, and had ${this.#bytes}`);
    this.#bytes = bytes;
    this.#options.events.begun();
  }

  #take(bytes: Uint8Array, taken: () => void, isOver: () => boolean): void {
    this.#isWriting = true;
    if (this.#incoming !== undefined) return this.#write(this.#incoming, bytes, taken, isOver);
    this.#options.store.receive(this.#options.order.snapshot, this.#bytes, (error, incoming) => {
      if (this.#isStopped) return incoming?.abort();
      if (incoming === undefined) return this.#wrote(() => this.#discard('disk', wordsOf(error)));
      this.#incoming = incoming;
      if (isOver()) this.#wrote(() => undefined);
      else this.#write(incoming, bytes, taken, isOver);
    });
  }

  #write(incoming: IncomingSnapshot, bytes: Uint8Array, taken: () => void, isOver: () => boolean): void {
    incoming.write(bytes, (error) => {
      if (this.#isStopped) return;
      this.#wrote(() => {
        if (error !== undefined) return this.#discard(problemOf(error), wordsOf(error));
        if (isOver()) return;
        this.#options.events.progressed(incoming.written, this.#bytes);
        taken();
      });
    });
  }

  /** A write has ended: `then` tells of it first, and whatever waited for it follows. */
  #wrote(then: () => void): void {
    const waiting = this.#afterWriting;
    this.#isWriting = false;
    this.#afterWriting = undefined;
    then();
    waiting?.();
  }

  /** Nothing of what came is of use: the next attempt begins at the first byte. */
  #discard(problem: FetchProblem | 'damaged' | 'disk', reason: string): void {
    this.#fetch?.cancel();
    this.#incoming?.abort();
    this.#incoming = undefined;
    this.#fail(problem, reason);
  }

  #fail(problem: FetchProblem | 'damaged' | 'disk', reason: string): void {
    this.#fetch = undefined;
    this.#attempt += 1;
    this.#options.events.failed(problem, reason);
  }
}

const problemOf = (error: Error | undefined): 'damaged' | 'disk' =>
  error instanceof QuorateError && error.code === 'QUORATE_DATA_DAMAGED' ? 'damaged' : 'disk';

const wordsOf = (error: Error | undefined): string => error?.message ?? 'nothing was kept';
