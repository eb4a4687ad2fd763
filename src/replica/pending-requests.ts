import type { ClientEvent } from '../../machines/index.js';
import type { CallRequest } from '../calls/pending-call.js';
import type { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { Clock } from '../seams/clock.js';
import { PauseWatch } from '../seams/pause-watch.js';
import type { Codec } from '../seams/state-machine.js';
import type { CallMeter, WaitingCalls } from './call-meter.js';
import { NO_METER } from './call-meter.js';
import { PendingProposals } from './pending-proposals.js';
import type { ReadCall } from './pending-reads.js';
import { PendingReads } from './pending-reads.js';

export interface PendingRequestsOptions<Result> {
  readonly send: (event: ClientEvent) => void;
  readonly clock: Clock;
  readonly resultCodec: Codec<Result>;
  readonly noLeader: () => QuorateError;
  readonly whyUnanswered?: () => string | undefined;
  readonly whyBehind?: () => string | undefined;
  /** Told once when a result cannot be encoded for a caller at another node. */
  readonly warn?: (problem: string) => void;
  /** From 0 up to 1: where this life's request ids begin. */
  readonly chance: number;
  /** Told how the calls fare. Default: nobody is. */
  readonly meter?: CallMeter | undefined;
}

/**
 * Requests are told apart by their id alone, by peers too, which may answer one of an earlier life of this node long after
 * its restart: the ids of each life begin at a random multiple of 2^31, and no life uses 2^31 of them.
 */
const FIRST_IDS = 2 ** 21;
const IDS_OF_A_LIFE = 2 ** 31;

/** Deadlines are looked at this often, all at once: a timer for each request would cost more than the request. */
const SWEEP_MS = 20;

/** Everything that this node's callers wait for: commands, and linearizable reads. */
export class PendingRequests<Result> {
  readonly #clock: Clock;
  readonly #pauses: PauseWatch;
  readonly #proposals: PendingProposals<Result>;
  readonly #reads: PendingReads;
  #lastRequestId: number;
  #sweep: unknown;

  constructor(options: PendingRequestsOptions<Result>) {
    const { send, clock, resultCodec, noLeader, whyUnanswered, whyBehind, chance } = options;
    const { warn = () => undefined, meter = NO_METER } = options;
    this.#lastRequestId = Math.floor(chance * FIRST_IDS) * IDS_OF_A_LIFE;
    const nextRequestId = (): number => ++this.#lastRequestId;
    const pauses = new PauseWatch(clock);
    this.#clock = clock;
    this.#pauses = pauses;
    this.#proposals = new PendingProposals({
      send,
      clock,
      pauses,
      resultCodec,
      nextRequestId,
      noLeader,
      whyUnanswered,
      whyBehind,
      warn,
      meter,
    });
    this.#reads = new PendingReads({ send, clock, pauses, nextRequestId, noLeader, meter });
  }

  /** TOO_LARGE where no link could carry the command to a peer. */
  propose(command: Uint8Array, request: CallRequest<Result>): void {
    this.#proposals.propose(command, request);
    this.#sweepLater();
  }

  overloaded(why: string): QuorateError {
    return this.#proposals.overloaded(why);
  }

  /** `done` is called when the state machine here answers linearizably. */
  read(request: ReadCall): void {
    this.#reads.read(request);
    this.#sweepLater();
  }

  notice(notice: Notice): void {
    this.#proposals.notice(notice);
    this.#reads.notice(notice);
  }

  /** Counted one by one: for who looks now and then. */
  get waiting(): WaitingCalls {
    const proposals = [...this.#proposals.waiting()];
    const reads = [...this.#reads.waiting()];
    const oldestReceivedMs = [...proposals, ...reads].reduce<number | null>((oldest, { earliestReceivedMs }) => {
      return oldest === null || earliestReceivedMs < oldest ? earliestReceivedMs : oldest;
    }, null);
    return { commands: proposals.length, reads: reads.reduce((all, { count }) => all + count, 0), oldestReceivedMs };
  }

  /** Whether nobody waits, and nothing is kept for anybody who did. */
  get isIdle(): boolean {
    return this.#proposals.isIdle && this.#reads.isIdle;
  }

  /** Whether this process stood still a moment ago, and has not read yet all that came meanwhile. */
  get isReadingBacklog(): boolean {
    return this.#pauses.waitForBacklogMs(this.#clock.now()) > 0;
  }

  close(reason: QuorateError): void {
    this.#clock.clearTimeout(this.#sweep);
    this.#pauses.stop();
    this.#proposals.close(reason);
    this.#reads.close(reason);
  }

  #sweepLater(): void {
    this.#sweep ??= this.#clock.setTimeout(() => {
      this.#sweep = undefined;
      const nowMs = this.#clock.now();
      this.#proposals.expire(nowMs);
      this.#reads.expire(nowMs);
      if (!this.isIdle) this.#sweepLater();
    }, SWEEP_MS);
  }
}
