import type { ClientEvent } from '../../machines/index.js';
import type { Consistency } from '../calls/call-options.js';
import type { CallRequest } from '../calls/pending-call.js';
import { PendingCall } from '../calls/pending-call.js';
import type { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { Index, NodeId } from '../raft/numbers-and-ids.js';
import { NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Clock } from '../seams/clock.js';
import type { PauseWatch } from '../seams/pause-watch.js';
import type { CallMeter } from './call-meter.js';
import { CallQueue, isWaiting } from './call-queue.js';
import { DrainRate } from './drain-rate.js';
import { overloaded } from './refusals.js';

export interface ReadCall extends CallRequest<undefined> {
  /** Default `linearizable`. */
  readonly consistency?: Consistency | undefined;
  /** Called with the read index once a leader has confirmed it; `done` follows when it is applied here. */
  readonly confirmed?: (readIndex: Index) => void;
}

type Read = PendingCall<undefined>;

/** A leader that has a majority confirms a read in far less: its answer was lost, and is asked for again. */
const ASK_AGAIN_AFTER_MS = 500;

interface Round {
  readonly askedAtMs: number;
  readonly reads: readonly Read[];
  /** The leader that was asked, null where it is this node. */
  readonly to: NodeId | null;
}

export interface PendingReadsOptions {
  readonly send: (event: ClientEvent) => void;
  readonly clock: Clock;
  readonly pauses: PauseWatch;
  readonly nextRequestId: () => number;
  readonly noLeader: () => QuorateError;
  readonly meter: CallMeter;
}

/** When so many questions wait, further ones are turned away. */
const MOST_WAITING = 65_536;
const NO_BYTES = new Uint8Array(0);

/**
 * Where linearizable reads wait: one read round for all that arrive in a turn of the event loop, then for the state
 * machine to have applied the round's index. A read changes nothing, so it is asked again whenever its answer may not come.
 */
export class PendingReads {
  readonly #options: PendingReadsOptions;
  readonly #queue: CallQueue<Read>;
  readonly #rounds = new Map<number, Round>();
  /** Confirmed, but their index is not applied here yet. */
  #confirmed: { readonly readIndex: Index; readonly reads: readonly Read[] }[] = [];
  /** The callbacks of reads whose callers want to know the read index, too. */
  readonly #curious = new WeakMap<Read, (readIndex: Index) => void>();
  /** Those for which a leader's lease is enough. */
  readonly #byLease = new WeakSet<Read>();
  #applied: Index = NO_INDEX;
  #waiting = 0;
  readonly #drain = new DrainRate();
  readonly #noteEnd = ({ count, earliestReceivedMs }: Read, error: QuorateError | undefined): void => {
    this.#waiting -= count;
    if (error === undefined) this.#drain.drained(count, this.#options.clock.now());
    else this.#options.meter.failed('read', error, earliestReceivedMs);
  };
  #closed: QuorateError | undefined;

  constructor(options: PendingReadsOptions) {
    this.#options = options;
    const { clock, pauses, noLeader } = options;
    const isWorthDoing = (read: Read, nowMs: number): boolean => read.isWorthDoing(nowMs, noLeader);
    this.#queue = new CallQueue({ clock, pauses, isWorthDoing, flush: (reads) => this.#flush(reads) });
  }

  /** `done` is called when the state machine here may be read. */
  read(request: ReadCall): void {
    if (this.#closed !== undefined) return request.done(this.#closed);
    const nowMs = this.#options.clock.now();
    if (this.#waiting >= MOST_WAITING) return this.#turnAway(request, nowMs);
    const read = new PendingCall(request, nowMs - this.#options.pauses.mostWaitMs(nowMs), NO_BYTES, this.#noteEnd);
    this.#waiting += read.count;
    if (request.confirmed !== undefined) this.#curious.set(read, request.confirmed);
    if (request.consistency === 'lease') this.#byLease.add(read);
    this.#queue.add(read);
  }

  #turnAway(request: ReadCall, nowMs: number): void {
    const waitMs = this.#drain.msFor(this.#waiting, nowMs);
    const error = overloaded(`${MOST_WAITING} reads wait at this node`, waitMs);
    this.#options.meter.failed('read', error, nowMs);
    request.done(error);
  }

  notice(notice: Notice): void {
    switch (notice.type) {
      case 'reads.forwarded':
        this.#noteForwarded(notice.requestId, notice.to);
        break;
      case 'reads.confirmed':
        this.#confirm(notice.requestId, notice.readIndex);
        break;
      case 'reads.refused':
        this.#askAgain(notice.requestId);
        break;
      case 'state.opened':
        this.noteApplied(notice.applied);
        break;
      case 'snapshot.installed':
        this.noteApplied(notice.index);
        break;
      case 'entries.applied':
        this.noteApplied(notice.entries.at(-1)?.index ?? this.#applied);
        break;
      case 'leader.changed':
        if (notice.leaderId !== null) this.#changeLeader(notice.leaderId);
        break;
      case 'link.changed':
        if (notice.open) this.#queue.retry();
        else this.#askAgainOf((to) => to === notice.peer);
        break;
      default:
        break;
    }
  }

  noteApplied(index: Index): void {
    this.#applied = index;
    if (this.#confirmed.length === 0) return;
    const ready = this.#confirmed.filter(({ readIndex }) => readIndex <= index);
    this.#confirmed = this.#confirmed.filter(({ readIndex }) => readIndex > index);
    for (const { reads } of ready) {
      const waiting = reads.filter(isWaiting);
      const count = waiting.reduce((all, read) => all + read.count, 0);
      // Reads for which a lease is enough are asked for apart from the others.
      const [first] = waiting;
      if (first !== undefined) this.#options.meter.readsDone(count, first.earliestReceivedMs, this.#byLease.has(first));
      for (const read of waiting) read.resolve(undefined);
    }
  }

  /** Reads that ran out of time. They changed nothing, so nothing about them is unknown. */
  expire(nowMs: number): void {
    // All are found before any is answered: whoever is answered may ask again at once.
    const due = [...this.#all()].filter((read) => !read.isOver && read.deadlineMs <= nowMs);
    for (const read of due) read.fail(this.#options.noLeader());
    this.#queue.prune();
    for (const [requestId, { reads, to, askedAtMs }] of this.#rounds) {
      if (!reads.some(isWaiting)) this.#rounds.delete(requestId);
      // In a new round: the answer to this one counts for nothing from now on (P33).
      else if (to !== null && nowMs - askedAtMs >= ASK_AGAIN_AFTER_MS) this.#askAgain(requestId);
    }
    this.#confirmed = this.#confirmed.filter(({ reads }) => reads.some(isWaiting));
  }

  /** Those that have no answer yet. */
  *waiting(): Iterable<{ readonly earliestReceivedMs: number; readonly count: number }> {
    for (const read of this.#all()) if (!read.isOver) yield read;
  }

  get isIdle(): boolean {
    return this.#queue.isEmpty && this.#rounds.size === 0 && this.#confirmed.length === 0;
  }

  close(reason: QuorateError): void {
    this.#closed = reason;
    for (const read of this.#all()) read.fail(reason);
    this.#queue.clear();
    this.#confirmed = [];
    this.#rounds.clear();
  }

  *#all(): Iterable<Read> {
    yield* this.#queue;
    for (const { reads } of this.#rounds.values()) yield* reads;
    for (const { reads } of this.#confirmed) yield* reads;
  }

  #flush(reads: readonly Read[]): void {
    const byLease = reads.filter((read) => this.#byLease.has(read));
    if (byLease.length > 0) this.#ask(byLease, { byLease: true });
    const others = byLease.length === 0 ? reads : reads.filter((read) => !this.#byLease.has(read));
    if (others.length > 0) this.#ask(others);
  }

  #ask(reads: readonly Read[], lease: { readonly byLease?: true } = {}): void {
    const requestId = this.#options.nextRequestId();
    this.#rounds.set(requestId, { reads, to: null, askedAtMs: this.#options.clock.now() });
    this.#options.send({ type: 'client.read', requestId, ...lease });
  }

  #noteForwarded(requestId: number, to: NodeId): void {
    const round = this.#rounds.get(requestId);
    if (round !== undefined) this.#rounds.set(requestId, { ...round, to });
  }

  #confirm(requestId: number, readIndex: Index): void {
    const round = this.#rounds.get(requestId);
    if (round === undefined) return;
    this.#rounds.delete(requestId);
    for (const read of round.reads) this.#curious.get(read)?.(readIndex);
    this.#confirmed.push({ readIndex, reads: round.reads });
    this.noteApplied(this.#applied);
  }

  #askAgain(requestId: number): void {
    const round = this.#rounds.get(requestId);
    if (round === undefined) return;
    this.#rounds.delete(requestId);
    this.#queue.park(round.reads.filter(isWaiting));
  }

  #changeLeader(leaderId: NodeId): void {
    this.#askAgainOf((to) => to !== null && to !== leaderId);
    this.#queue.retry();
  }

  #askAgainOf(isStranded: (to: NodeId | null) => boolean): void {
    for (const [requestId, { to }] of this.#rounds) if (isStranded(to)) this.#askAgain(requestId);
  }
}
