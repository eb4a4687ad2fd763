import type { ClientEvent } from '../../machines/index.js';
import type { CallRequest } from '../calls/pending-call.js';
import { outcomeUnknown, PendingCall } from '../calls/pending-call.js';
import type { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { ProposeReply } from '../raft/messages.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Role } from '../raft/replica-state.js';
import type { Clock } from '../seams/clock.js';
import type { PauseWatch } from '../seams/pause-watch.js';
import type { Codec } from '../seams/state-machine.js';
import { AppendedCommands, ResultEncoder } from './appended-commands.js';
import type { CallMeter } from './call-meter.js';
import { batches, CallQueue, isWaiting } from './call-queue.js';
import { CommandBounds } from './command-bounds.js';
import { deposed, leaderIsBehind, MOST_COMMAND_BYTES, tooLarge } from './refusals.js';

type Proposal<Result> = PendingCall<Result>;

interface Forwarded<Result> {
  readonly to: NodeId;
  readonly proposals: readonly Proposal<Result>[];
}

export interface PendingProposalsOptions<Result> {
  readonly send: (event: ClientEvent) => void;
  readonly clock: Clock;
  readonly pauses: PauseWatch;
  readonly resultCodec: Codec<Result>;
  readonly nextRequestId: () => number;
  /** Makes the error of a caller whose time ran out before anybody took its command. */
  readonly noLeader: () => QuorateError;
  /** Told once when a result cannot be encoded for a caller at another node. */
  readonly warn: (problem: string) => void;
  /** Why a command that was handed on may have no result yet, as far as this node can see. */
  readonly whyUnanswered?: (() => string | undefined) | undefined;
  /** Why the leader takes no more for now, where this node leads; undefined where it does. */
  readonly whyBehind?: (() => string | undefined) | undefined;
  readonly meter: CallMeter;
}

/**
 * Where callers' commands wait. What arrives in one turn of the event loop becomes one event to the chart, which appends,
 * passes on or refuses. A refused command is tried again within its time; one that was handed on ends with its result or
 * as "outcome unknown", never with anything that promises it was not done.
 */
export class PendingProposals<Result> {
  readonly #options: PendingProposalsOptions<Result>;
  readonly #queue: CallQueue<Proposal<Result>>;
  readonly #appended: AppendedCommands<Result>;
  readonly #bounds = new CommandBounds();
  /** Sent to the chart, which has not said yet what becomes of them. */
  readonly #asked = new Map<number, readonly Proposal<Result>[]>();
  readonly #forwarded = new Map<number, Forwarded<Result>>();
  /** Batches that wait for a turn of their own, because one turn brought more than one batch. */
  #next: (readonly Proposal<Result>[])[] = [];
  #closed: QuorateError | undefined;
  #isLeading = false;
  /** When this node, having stood still as leader, learned that it leads no more. */
  #deposedAtMs = Number.NEGATIVE_INFINITY;
  readonly #letGo = ({ bytes, earliestReceivedMs }: Proposal<Result>, error: QuorateError | undefined): void => {
    this.#bounds.remove(bytes);
    if (error === undefined) this.#bounds.noteDone(bytes, earliestReceivedMs, this.#options.clock.now());
    else this.#options.meter.failed('command', error, earliestReceivedMs);
  };

  constructor(options: PendingProposalsOptions<Result>) {
    this.#options = options;
    const { clock, pauses, resultCodec, warn, meter } = options;
    const answer = (to: NodeId, message: ProposeReply): void => options.send({ type: 'results.ready', to, message });
    this.#appended = new AppendedCommands(new ResultEncoder(resultCodec, warn), answer, meter);
    const isWorthDoing = (proposal: Proposal<Result>, nowMs: number): boolean => this.#isWorthDoing(proposal, nowMs);
    this.#queue = new CallQueue({ clock, pauses, isWorthDoing, flush: (arrived) => this.#flush(arrived) });
  }

  propose(payload: Uint8Array, request: CallRequest<Result>): void {
    if (this.#closed !== undefined) return request.done(this.#closed);
    if (payload.byteLength > MOST_COMMAND_BYTES) return request.done(tooLarge(payload.byteLength));
    const bytes = payload.byteLength;
    const nowMs = this.#options.clock.now();
    const why = this.#options.whyBehind?.();
    const refusal = why === undefined ? this.#bounds.refusal(bytes, nowMs) : this.overloaded(why, bytes);
    if (refusal !== undefined) return this.#turnAway(request, refusal);
    this.#bounds.add(bytes, nowMs);
    this.#queue.add(new PendingCall(request, nowMs - this.#options.pauses.mostWaitMs(nowMs), payload, this.#letGo));
  }

  /** The error of a caller that is turned away, with nothing done. */
  overloaded(why: string, bytes = 0): QuorateError {
    return this.#bounds.turnAway(why, bytes, this.#options.clock.now());
  }

  #turnAway({ done }: CallRequest<Result>, error: QuorateError): void {
    this.#options.meter.failed('command', error, this.#options.clock.now());
    done(error);
  }

  /** Takes what the chart tells of commands, leaders and links. */
  notice(notice: Notice): void {
    switch (notice.type) {
      case 'proposals.appended':
        this.#appended.add(notice, notice.from === null ? this.#takeAsked(notice.requestId) : []);
        break;
      case 'proposals.forwarded':
        this.#forward(notice.requestId, notice.to);
        break;
      case 'proposals.refused':
        this.#refuse(notice);
        break;
      case 'proposals.answered':
        this.#answer(notice.requestId, notice.results);
        break;
      case 'entries.applied':
        this.#appended.apply(notice.entries, notice.results);
        break;
      case 'log.truncated':
        this.#appended.truncate(notice.from);
        break;
      case 'role.changed':
        this.#noteRole(notice.role);
        break;
      case 'leader.changed':
        if (notice.leaderId !== null) this.#queue.retry();
        break;
      case 'link.changed':
        if (notice.open) this.#queue.retry();
        else this.#loseLink(notice.peer);
        break;
      default:
        break;
    }
  }

  /** Ends what ran out of time. Called by whoever owns the sweep's timer. */
  expire(nowMs: number): void {
    const isDue = (proposal: Proposal<Result>): boolean => !proposal.isOver && proposal.deadlineMs <= nowMs;
    // All are found before any is answered: whoever is answered may ask again at once.
    for (const proposal of [...this.#all()].filter(isDue)) {
      if (proposal.fate === 'unknown') proposal.fail(outcomeUnknown(this.#whyUnanswered()));
      else proposal.fail(this.#options.noLeader());
    }
    this.#letGoOfEnded();
  }

  /** Nothing is kept for calls that ended: an answer that is late, or never comes, is of no use to anybody. */
  #letGoOfEnded(): void {
    this.#queue.prune();
    for (const [requestId, proposals] of this.#asked) {
      if (!proposals.some(isWaiting)) this.#asked.delete(requestId);
    }
    for (const [requestId, { proposals }] of this.#forwarded) {
      if (!proposals.some(isWaiting)) this.#forwarded.delete(requestId);
    }
    this.#appended.letGoOfEnded();
  }

  #whyUnanswered(): string {
    const why = this.#options.whyUnanswered?.();
    return why === undefined ? 'no answer came in time' : `no answer came in time (${why})`;
  }

  /** Whether nothing is kept for any of this node's callers. */
  get isIdle(): boolean {
    const isKept = this.#asked.size > 0 || this.#forwarded.size > 0 || this.#next.length > 0;
    return this.#bounds.isEmpty && this.#queue.isEmpty && !isKept && this.#appended.isIdle;
  }

  /** Nothing more will come of the chart: everybody is answered, each as far as is known. */
  close(reason: QuorateError): void {
    this.#closed = reason;
    for (const proposal of this.#all()) {
      if (proposal.fate === 'unknown') proposal.fail(outcomeUnknown(reason.message, reason));
      else proposal.fail(reason);
    }
    this.#queue.clear();
    this.#next = [];
    this.#appended.clear();
    this.#asked.clear();
    this.#forwarded.clear();
  }

  /** Those that have no answer yet. */
  *waiting(): Iterable<{ readonly earliestReceivedMs: number }> {
    for (const proposal of this.#all()) if (!proposal.isOver) yield proposal;
  }

  *#all(): Iterable<Proposal<Result>> {
    yield* this.#queue;
    for (const proposals of this.#next) yield* proposals;
    for (const proposals of this.#asked.values()) yield* proposals;
    for (const { proposals } of this.#forwarded.values()) yield* proposals;
    yield* this.#appended;
  }

  /** One batch a turn: a burst of commands must not keep the heartbeats of all nodes waiting. */
  #flush(arrived: readonly Proposal<Result>[]): void {
    const isWaitingForItsTurn = this.#next.length > 0;
    this.#next.push(...batches(arrived));
    if (!isWaitingForItsTurn) this.#sendNext();
  }

  #sendNext(): void {
    const { clock, pauses, nextRequestId, send } = this.#options;
    const nowMs = clock.now();
    if (pauses.putsOff(() => this.#sendNext(), nowMs)) return;
    const proposals = this.#next.shift()?.filter((proposal) => this.#isWorthDoing(proposal, nowMs)) ?? [];
    if (this.#next.length > 0) clock.defer(() => this.#sendNext());
    if (proposals.length === 0) return;
    const requestId = nextRequestId();
    let deadlineMs = Number.POSITIVE_INFINITY;
    for (const proposal of proposals) {
      proposal.fate = 'unknown';
      deadlineMs = Math.min(deadlineMs, proposal.deadlineMs);
    }
    this.#asked.set(requestId, proposals);
    const commands = proposals.map(({ payload }) => payload);
    send({ type: 'client.proposed', requestId, commands, remainingMs: deadlineMs - nowMs });
  }

  #noteRole(role: Role): void {
    const { clock, pauses } = this.#options;
    const nowMs = clock.now();
    if (this.#isLeading && role !== 'leader' && pauses.waitForBacklogMs(nowMs) > 0) this.#deposedAtMs = nowMs;
    this.#isLeading = role === 'leader';
  }

  /**
   * P45: what a leader received before it knew that it had been replaced while it stood still is not passed on: its
   * caller may have written something else through the new leader since.
   */
  #isWorthDoing(proposal: Proposal<Result>, nowMs: number): boolean {
    if (!proposal.isOver && proposal.earliestReceivedMs <= this.#deposedAtMs) proposal.fail(deposed());
    return proposal.isWorthDoing(nowMs, this.#options.noLeader);
  }

  #forward(requestId: number, to: NodeId): void {
    this.#forwarded.set(requestId, { to, proposals: this.#takeAsked(requestId) });
  }

  #takeAsked(requestId: number): readonly Proposal<Result>[] {
    const proposals = this.#asked.get(requestId) ?? [];
    this.#asked.delete(requestId);
    return proposals;
  }

  #takeBack(requestId: number): readonly Proposal<Result>[] {
    const forwarded = this.#forwarded.get(requestId);
    if (forwarded === undefined) return this.#takeAsked(requestId);
    this.#forwarded.delete(requestId);
    return forwarded.proposals;
  }

  /** Nothing was done. A leader that is behind says so, and its callers learn it at once; in all other cases the commands are tried again. */
  #refuse({ requestId, behind }: Extract<Notice, { type: 'proposals.refused' }>): void {
    const waiting = this.#takeBack(requestId).filter(isWaiting);
    for (const proposal of waiting) proposal.fate = 'nothing done';
    if (behind === undefined) return this.#queue.park(waiting);
    for (const proposal of waiting) proposal.fail(this.overloaded(leaderIsBehind(behind), proposal.bytes));
  }

  #answer(requestId: number, results: readonly Uint8Array[] | null): void {
    const forwarded = this.#forwarded.get(requestId);
    if (forwarded === undefined) return;
    this.#forwarded.delete(requestId);
    const answered = results === null ? [] : forwarded.proposals.filter(isWaiting);
    const [first] = answered;
    if (first !== undefined) this.#options.meter.commandsDone(answered.length, first.earliestReceivedMs);
    forwarded.proposals.forEach((proposal, at) => {
      const result = results?.[at];
      if (result === undefined)
        proposal.fail(outcomeUnknown(`leader ${forwarded.to} has no result to tell, its log may say why`));
      else this.#hand(proposal, result);
    });
  }

  /** A result that came from another node. It is done; only what came of it may not be known. */
  #hand(proposal: Proposal<Result>, bytes: Uint8Array): void {
    let result: Result;
    try {
      result = this.#options.resultCodec.decode(bytes);
    } catch (error) {
      return proposal.fail(
        outcomeUnknown(`the state machine's resultCodec cannot decode its result (${error})`, error),
      );
    }
    proposal.resolve(result);
  }

  /** Its answer would have come from there: whether the leader took the command cannot be known. */
  #loseLink(peer: NodeId): void {
    for (const [requestId, { to, proposals }] of this.#forwarded) {
      if (to !== peer) continue;
      this.#forwarded.delete(requestId);
      for (const proposal of proposals) proposal.fail(outcomeUnknown(`the connection to leader ${peer} was lost`));
    }
  }
}
