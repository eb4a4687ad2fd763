import { withoutFrames } from '../errors/frames.js';
import { isWorthAnotherTry, QuorateError } from '../errors/quorate-error.js';
import type { ClientReply, ClientRequest, ErrorReply, LeaderNews } from '../wire/client-frames.js';
import { MOST_REQUESTS } from '../wire/client-frames.js';
import type { Asked } from './call.js';
import { Call } from './call.js';
import { CallsUnderWay } from './calls-under-way.js';
import { ClientEmitter } from './client-events.js';
import { Connection } from './connection.js';
import { isDialable } from './endpoint.js';
import type { ReadyOptions } from './first-answer.js';
import { FirstAnswer } from './first-answer.js';
import type { Platform } from './platform.js';
import { RefusedCalls } from './refused-calls.js';

export interface DispatcherOptions {
  /** host:port each. */
  readonly endpoints: readonly string[];
  /** The name of the service that the nodes are to have. */
  readonly service: string;
  readonly platform: Platform;
  /** Whether to ask the endpoints only, and none of the nodes that they tell of. Default: false. */
  readonly onlyEndpoints?: boolean;
}

/** The node ends a call in time; this much later its answer is not expected any more. */
const GRACE_MS = 250;
const SWEEP_MS = 20;
/** A frame holds about this much. */
const FRAME_BYTES = 1024 * 1024;

/**
 * Brings calls to nodes, and their answers back: to the leader as soon as any node has told who that is, and until then to
 * any. What is asked in one turn of the event loop goes together. Asks again only what provably was not done (P37).
 */
export class Dispatcher {
  readonly #service: string;
  readonly #platform: Platform;
  readonly events: ClientEmitter;
  readonly #onlyEndpoints: boolean;
  readonly #firstAnswer: FirstAnswer;
  readonly #connections = new Map<string, Connection>();
  readonly #calls = new CallsUnderWay();
  /** They go as soon as there is a connection with room for them. */
  #waiting: Call[] = [];
  readonly #refused: RefusedCalls;
  #news: LeaderNews | undefined;
  #flushIsDue = false;
  #sweep: unknown;
  #isClosed = false;

  constructor({ endpoints, service, platform, onlyEndpoints = false }: DispatcherOptions) {
    this.#service = service;
    this.#platform = platform;
    this.#onlyEndpoints = onlyEndpoints;
    this.#firstAnswer = new FirstAnswer({
      platform,
      hasAnswer: () => this.#news !== undefined,
      isInVain: () => [...this.#connections.values()].every(({ hasFailed }) => hasFailed),
      why: () => this.#whyNobody(),
    });
    this.#refused = new RefusedCalls({
      platform,
      random: platform.random,
      askAgain: (calls) => {
        this.#waiting = [...calls, ...this.#waiting];
        this.#flushSoon();
      },
    });
    this.events = new ClientEmitter((callback) => void platform.setTimeout(callback, 0));
    for (const endpoint of endpoints) this.#connect(endpoint);
  }

  get leaderId(): string | null {
    return this.#news?.leaderId ?? null;
  }

  /** When a call that may take so long is to have its answer. */
  deadlineMs(timeoutMs: number): number {
    return this.#platform.now() + timeoutMs;
  }

  /** Throws CLOSED. */
  ask(asked: Asked): void {
    if (this.#isClosed) throw clientClosed();
    this.#waiting.push(new Call(asked));
    this.#flushSoon();
    this.#sweepLater();
  }

  /** Resolves once a node has answered; rejects with NO_LEADER, and why, if none does in time. */
  ready(options: ReadyOptions): Promise<void> {
    return this.#firstAnswer.wait(options);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#platform.clearTimeout(this.#sweep);
    for (const connection of this.#connections.values()) connection.close();
    for (const call of [...this.#waiting, ...this.#refused]) call.fail(clientClosed());
    this.#waiting = [];
    this.#refused.clear();
    this.events.clear();
  }

  #flushSoon(): void {
    if (this.#flushIsDue) return;
    this.#flushIsDue = true;
    this.#platform.defer(() => {
      this.#flushIsDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const connection = this.#route();
    if (connection === undefined) return;
    const nowMs = this.#platform.now();
    let requests: ClientRequest[] = [];
    let bytes = 0;
    let at = 0;
    for (; at < this.#waiting.length; at += 1) {
      const call = this.#waiting[at] as Call;
      if (call.isOver) continue;
      const { operation, payload, deadlineMs } = call.asked;
      if (!connection.hasRoomFor(payload.byteLength)) break;
      const isFull = requests.length === MOST_REQUESTS || bytes + payload.byteLength > FRAME_BYTES;
      if (requests.length > 0 && isFull) {
        connection.send(requests);
        requests = [];
        bytes = 0;
      }
      connection.take(payload.byteLength);
      call.sentTo = connection;
      call.heardBefore = connection.heard;
      const timeoutMs = Math.max(1, Math.ceil(deadlineMs - nowMs));
      requests.push({ id: this.#calls.add(call), operation, timeoutMs, payload });
      bytes += payload.byteLength;
    }
    this.#waiting = at === this.#waiting.length ? [] : this.#waiting.slice(at);
    if (requests.length > 0) connection.send(requests);
  }

  /** Takes a call back from its connection, which then has room for another. */
  #takeBack(id: number): Call | undefined {
    const call = this.#calls.take(id);
    call?.sentTo?.give(call.asked.payload.byteLength);
    return call;
  }

  /** The leader's connection, or any that is open: every node passes on what only the leader may do. Silent ones come last. */
  #route(): Connection | undefined {
    const all = [...this.#connections.values()].filter(({ isOpen }) => isOpen);
    const heard = all.filter(({ isSilent }) => !isSilent);
    const open = heard.length > 0 ? heard : all;
    const { leaderId, members } = this.#news ?? { leaderId: null, members: [] };
    const leaderAt = members.find(({ id }) => id === leaderId)?.address;
    return open.find(({ address }) => address === leaderAt) ?? open[0];
  }

  #connect(address: string): void {
    if (this.#connections.has(address)) return;
    const connection: Connection = new Connection(
      { address, service: this.#service, platform: this.#platform },
      {
        opened: () => {
          this.#flushSoon();
          this.events.emit('connected', { address });
        },
        news: (news) => this.#learn(news),
        replied: (replies) => this.#endAnsweredCalls(replies),
        lost: (why) => this.#lose(connection, why),
        failed: () => this.#firstAnswer.look(),
      },
    );
    this.#connections.set(address, connection);
  }

  /** A newer term knows better; within one, who leads is worth more than that nobody is known to. */
  #learn(news: LeaderNews): void {
    const known = this.#news;
    const isNews =
      known === undefined || news.term > known.term || (news.term === known.term && news.leaderId !== null);
    if (isNews) this.#news = news;
    if (!this.#onlyEndpoints) for (const { address } of news.members) if (isDialable(address)) this.#connect(address);
    this.#firstAnswer.look();
    if (isNews && news.leaderId !== null && news.leaderId !== known?.leaderId) this.#askTheLeaderInstead();
    if (this.#waiting.length > 0) this.#flushSoon();
    this.#announceLeader(known?.leaderId ?? null);
  }

  #announceLeader(before: string | null): void {
    if (this.#news === undefined || this.leaderId === before) return;
    this.events.emit('leaderChanged', { leaderId: this.leaderId, term: this.#news.term });
  }

  /** The former leader may have stopped, and may never answer. */
  #askTheLeaderInstead(): void {
    const leader = this.#route();
    this.#askAgain((connection) => connection !== leader);
  }

  /** Reads that are under way there. A read can be asked twice; a write cannot. */
  #askAgain(isThere: (connection: Connection | undefined) => boolean): void {
    for (const call of this.#calls) {
      if (call.isWrite || !isThere(call.sentTo)) continue;
      this.#takeBack(call.id);
      call.sentTo = undefined;
      if (!call.isOver) this.#waiting.push(call);
    }
  }

  #endAnsweredCalls(replies: readonly ClientReply[]): void {
    for (const reply of replies) {
      const call = this.#takeBack(reply.id);
      if (call === undefined) continue;
      call.sentTo = undefined;
      if ('payload' in reply) call.resolve(reply.payload, reply.index);
      else this.#refuse(call, errorOf(reply.error));
    }
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #lose(connection: Connection, why: string): void {
    for (const call of this.#calls) {
      if (call.sentTo !== connection) continue;
      this.#takeBack(call.id);
      if (call.survivesLossOf(connection, why)) this.#waiting.push(call);
    }
    if (this.#isClosed) for (const call of this.#waiting) call.fail(clientClosed());
    if (this.#waiting.length > 0) this.#flushSoon();
    this.events.emit('disconnected', { address: connection.address, reason: why });
  }

  #refuse(call: Call, error: QuorateError): void {
    const isOverload = error.code === 'QUORATE_OVERLOADED';
    if (!isWorthAnotherTry(error.code) || (isOverload && !call.asked.waitsOutOverload)) return call.fail(error);
    call.lastRefusal = error;
    this.#refused.add(call, error.retryAfterMs);
  }

  #sweepLater(): void {
    this.#sweep ??= this.#platform.setTimeout(() => {
      this.#sweep = undefined;
      const nowMs = this.#platform.now();
      const isLeft = (call: Call): boolean => {
        if (call.asked.deadlineMs <= nowMs) call.expire(() => this.#whyNotSent());
        return !call.isOver;
      };
      this.#waiting = this.#waiting.filter(isLeft);
      for (const call of this.#refused) isLeft(call);
      this.#refused.prune();
      for (const call of this.#calls) {
        if (call.asked.deadlineMs + GRACE_MS <= nowMs) this.#giveUp(call);
        if (call.isOver) this.#takeBack(call.id);
      }
      if (this.#waiting.length > 0) this.#flushSoon();
      if (this.#waiting.length + this.#refused.size + this.#calls.size > 0) this.#sweepLater();
    }, SWEEP_MS);
  }

  /** Ends a call that has no answer. Where nothing at all came from its node since, other reads that wait there are asked of another node, and so is what comes next. */
  #giveUp(call: Call): void {
    const { sentTo, isOver, heardBefore } = call;
    call.expire(() => this.#whyNotSent());
    const isSilent = !isOver && sentTo?.noteNoAnswer(heardBefore) === true;
    if (isSilent && this.#route() !== sentTo) this.#askAgain((connection) => connection === sentTo);
  }

  #whyNotSent(): QuorateError {
    const connection = this.#route();
    if (connection === undefined || connection.hasRoomFor(1))
      return new QuorateError('QUORATE_NO_LEADER', `${this.#whyNobody()}; nothing was done, try again`);
    const why = `it waited behind ${connection.underWay} calls of this client that ${connection.address} has not answered`;
    return new QuorateError('QUORATE_OVERLOADED', `${why}; nothing was done, await some calls first`);
  }

  #whyNobody(): string {
    const problems = [...this.#connections.values()]
      .filter(({ isOpen }) => !isOpen)
      .map(({ address, problem }) => `${address} (${problem})`);
    if (problems.length === this.#connections.size) {
      // A refusal is an answer, too: it is no network that is at fault then.
      const isRefused = problems.some((problem) => problem.includes(' answered HTTP '));
      return `${isRefused ? 'no node lets this client in' : 'no node answers'}: ${problems.join(', ')}`;
    }
    const others = problems.length === 0 ? '' : `, and others do not answer: ${problems.join(', ')}`;
    return `no leader answered in time${others}`;
  }
}

/** Its stack is given to it by whoever awaits the call. */
const errorOf = ({ code, message, details }: ErrorReply): QuorateError =>
  withoutFrames(() => new QuorateError(code, message, { details }));

const clientClosed = (): QuorateError => new QuorateError('QUORATE_CLOSED', 'this client is closed');
