import type { PendingCall } from '../calls/pending-call.js';
import { shown } from '../errors/shown.js';
import type { Notice } from '../raft/effects.js';
import type { Entry, ProposeReply } from '../raft/messages.js';
import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import type { Codec } from '../seams/state-machine.js';
import type { CallMeter } from './call-meter.js';
import { isWaiting } from './call-queue.js';
import { cutOff, replaced } from './refusals.js';

/** Commands that stand in the log from `firstIndex` on and wait to be applied. */
interface Appended<Result> {
  readonly firstIndex: Index;
  readonly term: number;
  readonly count: number;
  /** Our own callers', or nobody's: then `peer` waits for the results. */
  readonly proposals: readonly PendingCall<Result>[];
  readonly peer: Peer | null;
}

interface Peer {
  readonly id: NodeId;
  readonly requestId: number;
  readonly results: Uint8Array[];
}

/**
 * The commands that this node has appended as leader and that are not applied yet. Whoever waits for one gets its result when
 * it is applied, learns that another was committed in its place, or that its fate is not known.
 */
export class AppendedCommands<Result> {
  readonly #results: ResultEncoder<Result>;
  readonly #answer: (to: NodeId, message: ProposeReply) => void;
  readonly #meter: CallMeter;
  /** In the order of their indexes. */
  #appended: Appended<Result>[] = [];

  constructor(results: ResultEncoder<Result>, answer: (to: NodeId, message: ProposeReply) => void, meter: CallMeter) {
    this.#results = results;
    this.#answer = answer;
    this.#meter = meter;
  }

  add(appended: Extract<Notice, { type: 'proposals.appended' }>, proposals: readonly PendingCall<Result>[]): void {
    const { from, requestId, firstIndex, count, term } = appended;
    const peer = from === null ? null : { id: from, requestId, results: [] };
    this.#appended.push({ firstIndex, term, count, proposals, peer });
  }

  apply(entries: readonly Entry[], results: readonly unknown[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const end = first.index + entries.length;
    let finished = 0;
    for (const appended of this.#appended) {
      if (appended.firstIndex >= end) break;
      this.#handOutResults(appended, first.index, entries, results);
      if (appended.firstIndex + appended.count <= end) finished += 1;
    }
    if (finished > 0) this.#appended = this.#appended.slice(finished);
  }

  /** The log was cut from `from` on. What lies before the cut is still there, and its callers still wait. */
  truncate(from: Index): void {
    this.#appended = this.#appended.flatMap((appended) => {
      const { firstIndex, count, proposals, peer } = appended;
      const kept = Math.max(0, from - firstIndex);
      if (kept >= count) return [appended];
      for (const proposal of proposals.slice(kept)) proposal.fail(cutOff());
      if (peer !== null) this.#answerPeer({ ...peer, results: [] }, count);
      return kept === 0 || peer !== null ? [] : [{ ...appended, count: kept, proposals: proposals.slice(0, kept) }];
    });
  }

  clear(): void {
    this.#appended = [];
  }

  /** Nothing is kept for calls that ended. A peer's are answered when they are applied or cut, and hold no command. */
  letGoOfEnded(): void {
    this.#appended = this.#appended.filter(({ peer, proposals }) => peer !== null || proposals.some(isWaiting));
  }

  /** Whether nothing is kept for any caller of this node. */
  get isIdle(): boolean {
    return this.#appended.every(({ peer }) => peer !== null);
  }

  *[Symbol.iterator](): Iterator<PendingCall<Result>> {
    for (const { proposals } of this.#appended) yield* proposals;
  }

  /** Hands out the results of those of its commands that were just applied. */
  #handOutResults(
    appended: Appended<Result>,
    first: Index,
    entries: readonly Entry[],
    results: readonly unknown[],
  ): void {
    const { firstIndex, count, term, proposals, peer } = appended;
    const from = Math.max(firstIndex, first);
    const until = Math.min(firstIndex + count, first + entries.length);
    let done = 0;
    let receivedAtMs = 0;
    for (let index = from; index < until; index += 1) {
      const isOurs = entries[index - first]?.term === term;
      const result = results[index - first] as Result;
      if (peer !== null) {
        const bytes = isOurs ? this.#results.encode(result) : undefined;
        if (bytes !== undefined) peer.results.push(bytes);
        continue;
      }
      const proposal = proposals[index - firstIndex];
      if (isOurs) {
        this.#results.checkOnce(result);
        if (proposal?.isOver === false) {
          if (done === 0) receivedAtMs = proposal.earliestReceivedMs;
          done += 1;
        }
        proposal?.resolve(result);
      } else proposal?.fail(replaced());
    }
    if (done > 0) this.#meter.commandsDone(done, receivedAtMs);
    if (peer !== null && until === firstIndex + count) this.#answerPeer(peer, count);
  }

  /** Without a result for each of its commands a peer is told that the outcome is not known, and so where they are too much for one message. */
  #answerPeer({ id, requestId, results }: Peer, count: number): void {
    const bytes = results.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const isTooMuch = bytes > MOST_RESULT_BYTES;
    if (isTooMuch) this.#results.tellTooMuch(bytes);
    const isTold = results.length === count && !isTooMuch;
    const outcome = isTold ? ({ kind: 'results', results } as const) : ({ kind: 'unknown' } as const);
    this.#answer(id, { kind: 'propose-reply', requestId, outcome });
  }
}

const FAILED = "the state machine's resultCodec.encode failed";

/** The results of commands that one message brought travel in one message, too; a link that has twice as much to send is given up. */
export const MOST_RESULT_BYTES = 32 * 1024 * 1024;

/**
 * Encodes results for the callers of other nodes. A codec that cannot encode a result is a mistake in the state machine: it
 * is told once, by the node where it happened, because the other node only sees that no result came.
 */
export class ResultEncoder<Result> {
  readonly #codec: Codec<Result>;
  readonly #tell: (problem: string) => void;
  #hasChecked = false;
  #hasTold = false;

  constructor(codec: Codec<Result>, tell: (problem: string) => void) {
    this.#codec = codec;
    this.#tell = tell;
  }

  /** The result as bytes; undefined where the codec throws or makes no bytes of it. */
  encode(result: Result): Uint8Array | undefined {
    try {
      const bytes: unknown = this.#codec.encode(result);
      if (bytes instanceof Uint8Array) return bytes;
      this.#report(`${FAILED}: expected a Uint8Array, got ${shown(bytes)}`);
    } catch (error) {
      this.#report(`${FAILED}: it threw ${error}`);
    }
    return undefined;
  }

  /** Tries the first result of a caller of this node, which needs no encoding: a cluster of one would never notice otherwise. */
  checkOnce(result: Result): void {
    if (this.#hasChecked) return;
    this.#hasChecked = true;
    this.encode(result);
  }

  tellTooMuch(bytes: number): void {
    this.#report(
      `the results of commands that came together have ${bytes} bytes, more than the ${MOST_RESULT_BYTES} of a message`,
    );
  }

  #report(what: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#tell(`${what}. Commands are applied, but callers at other nodes are told that the outcome is unknown`);
  }
}
