import { encodeText } from '../codec/bytes.js';
import type { ClientReply, ClientRequest, LeaderNews, Operation } from '../codec/client-frames.js';
import { MOST_REQUESTS } from '../codec/client-frames.js';
import { checkCallOptions } from '../desk/call-options.js';
import { isWorthAnotherTry, QuorateError } from '../seams/errors.js';
import type { KeyValueCommand, KeyValueResult } from '../state-machines/key-value-codec.js';
import { keyValueCommandCodec, keyValueResultCodec } from '../state-machines/key-value-codec.js';
import type { Consistency } from '../state-machines/key-value-queries.js';
import { decodeEntry, decodePage, encodeGet, encodeList } from '../state-machines/key-value-queries.js';
import type { KeyValueEntry, ListPage } from '../state-machines/key-value-store.js';
import type { CallOptions } from './call.js';
import { Call } from './call.js';
import { CallsUnderWay } from './calls-under-way.js';
import { checkConsistency, checkKey, checkLimit, checkText, checkTimeout, checkValue, conditionOf } from './checks.js';
import { Connection } from './connection.js';
import type { Platform } from './platform.js';

export interface WriteOptions extends CallOptions {
  /** Only if the key's entry has this revision; 0: only if there is none. Otherwise CONFLICT, with the present `revision`. */
  readonly ifRevision?: number;
}

export interface ReadOptions extends CallOptions {
  /** Default `linearizable`. */
  readonly consistency?: Consistency;
}

export interface ListOptions extends ReadOptions {
  readonly prefix?: string;
  /** Only keys after this one. */
  readonly after?: string;
  /** Default 1,000, at most 10,000. */
  readonly limit?: number;
}

export interface ClientOptions {
  readonly endpoints: readonly string[];
  readonly platform: Platform;
}

const DEFAULT_TIMEOUT_MS = 5_000;
/** The node ends a call in time; this much later its answer is not expected any more. */
const GRACE_MS = 250;
const SWEEP_MS = 20;
const RETRY_MS = 25;
const OPTIONS_OF: Readonly<Record<Operation, readonly string[]>> = {
  propose: ['ifRevision', 'timeoutMs', 'signal'],
  get: ['consistency', 'timeoutMs', 'signal'],
  list: ['prefix', 'after', 'limit', 'consistency', 'timeoutMs', 'signal'],
};
/** A frame holds about this much. */
const FRAME_BYTES = 1024 * 1024;
/** Further calls wait here for answers to these: a burst must not take all of a node's time. */
const MOST_UNDER_WAY = 4_096;

/**
 * A cluster's key-value store, from outside. Keeps a connection to every node that it knows of, asks the leader as soon as
 * it knows who that is, and any other node until then. What is asked in one turn of the event loop goes in one frame.
 */
export class QuorateClient implements AsyncDisposable {
  readonly #platform: Platform;
  readonly #connections = new Map<string, Connection>();
  readonly #calls = new CallsUnderWay();
  #waiting: Call[] = [];
  #news: LeaderNews | undefined;
  #flushIsDue = false;
  #sweep: unknown;
  #retry: unknown;
  #closed: QuorateError | undefined;

  constructor({ endpoints, platform }: ClientOptions) {
    this.#platform = platform;
    for (const endpoint of endpoints) this.#connect(endpoint);
  }

  /** Who leads, as far as any node has told. */
  get leaderId(): string | null {
    return this.#news?.leaderId ?? null;
  }

  /**
   * Sets a key. Resolves once a majority has the write on disk and it is applied. Rejects with CONFLICT, TOO_LARGE,
   * NO_LEADER, NO_QUORUM, OVERLOADED or ABORTED, where nothing was done, and with OUTCOME_UNKNOWN.
   */
  put(key: string, value: Uint8Array | string, options: WriteOptions = {}): Promise<{ readonly revision: number }> {
    const command = { kind: 'put', key, value: typeof value === 'string' ? encodeText(value) : value } as const;
    return this.#propose(command, options, ({ revision }) => ({ revision }));
  }

  /** Removes a key. `deleted` is false where there was none; then the store's revision has not changed. */
  delete(key: string, options: WriteOptions = {}): Promise<{ readonly deleted: boolean; readonly revision: number }> {
    return this.#propose({ kind: 'delete', key }, options, (result) => {
      return { deleted: result.kind === 'deleted' && result.deleted, revision: result.revision };
    });
  }

  /** The key's value and revision, undefined where it is absent. */
  get(key: string, options: ReadOptions = {}): Promise<KeyValueEntry | undefined> {
    return this.#ask('get', options, decodeEntry, () => {
      checkKey(key);
      return encodeGet({ key, consistency: checkConsistency(options.consistency) });
    });
  }

  /** Keys in byte order, page by page: ask again with `after: page.next` until that is null. */
  list(options: ListOptions = {}): Promise<ListPage> {
    return this.#ask('list', options, decodePage, () => {
      const { prefix = '', after, limit = 1_000 } = options;
      checkText('prefix', prefix);
      checkText('after', after ?? '');
      checkLimit(limit);
      const query = { prefix, limit, ...(after === undefined ? {} : { after }) };
      return encodeList({ query, consistency: checkConsistency(options.consistency) });
    });
  }

  /** Not in this version. */
  watch(_key: string): never {
    throw new QuorateError('QUORATE_NOT_IN_THIS_VERSION', 'watching: not in this version');
  }

  /** Ends all connections. Calls under way are rejected: writes that were sent with OUTCOME_UNKNOWN. */
  async close(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#closed = new QuorateError('QUORATE_CLOSED', 'this client is closed');
    this.#platform.clearTimeout(this.#sweep);
    this.#platform.clearTimeout(this.#retry);
    for (const connection of this.#connections.values()) connection.close();
    for (const call of this.#waiting) call.fail(this.#closed);
    this.#waiting = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves once a node has answered; rejects with NO_LEADER, and why, if none does in time. */
  async ready(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const deadline = this.#platform.now() + timeoutMs;
    while (this.#news === undefined) {
      if (signal?.aborted === true)
        throw new QuorateError('QUORATE_ABORTED', 'connecting was aborted', { cause: signal.reason });
      if (this.#platform.now() >= deadline) throw new QuorateError('QUORATE_NO_LEADER', this.#whyNobody());
      await new Promise<void>((resolve) => this.#platform.setTimeout(resolve, SWEEP_MS));
    }
  }

  #propose<Value>(
    command: KeyValueCommand,
    options: WriteOptions,
    answerOf: (result: Exclude<KeyValueResult, { kind: 'conflict' }>) => Value,
  ): Promise<Value> {
    const decode = (payload: Uint8Array): Value => {
      const result = keyValueResultCodec.decode(payload);
      if (result.kind !== 'conflict') return answerOf(result);
      const { revision } = result;
      const now = revision === null ? 'does not exist' : `has revision ${revision}`;
      throw new QuorateError('QUORATE_CONFLICT', `the condition failed: ${command.key} ${now}`, {
        details: { revision },
      });
    };
    return this.#ask('propose', options, decode, () => {
      checkKey(command.key);
      if (command.kind === 'put') checkValue(command.value);
      return keyValueCommandCodec.encode({ ...command, ...conditionOf(options) });
    });
  }

  /** One promise for each call, and nothing awaited on its way: at thousands of calls a turn each further one is felt. */
  #ask<Value>(
    operation: Operation,
    options: CallOptions,
    decode: (payload: Uint8Array) => Value,
    encode: () => Uint8Array,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) throw this.#closed;
      checkCallOptions(options, OPTIONS_OF[operation]);
      const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
      checkTimeout(timeoutMs);
      if (signal?.aborted === true)
        throw new QuorateError('QUORATE_ABORTED', 'the call was aborted before anything was done', {
          cause: signal.reason,
        });
      const payload = encode();
      const deadlineMs = this.#platform.now() + timeoutMs;
      this.#waiting.push(new Call({ operation, payload, deadlineMs, signal, decode, resolve, reject }));
      this.#flushSoon();
      this.#sweepLater();
    });
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
    for (; at < this.#waiting.length && this.#calls.size < MOST_UNDER_WAY; at += 1) {
      const call = this.#waiting[at] as Call;
      if (call.isOver) continue;
      const { operation, payload, deadlineMs } = call.asked;
      const isFull = requests.length === MOST_REQUESTS || bytes + payload.byteLength > FRAME_BYTES;
      if (requests.length > 0 && isFull) {
        connection.send(requests);
        requests = [];
        bytes = 0;
      }
      call.sentTo = connection;
      const timeoutMs = Math.max(1, Math.ceil(deadlineMs - nowMs));
      requests.push({ id: this.#calls.add(call), operation, timeoutMs, payload });
      bytes += payload.byteLength;
    }
    this.#waiting = this.#waiting.slice(at);
    if (requests.length > 0) connection.send(requests);
  }

  /** The leader's connection, or any that is open: every node passes on what only the leader may do. */
  #route(): Connection | undefined {
    const open = [...this.#connections.values()].filter(({ isOpen }) => isOpen);
    const { leaderId, members } = this.#news ?? { leaderId: null, members: [] };
    const leaderAt = members.find(({ id }) => id === leaderId)?.address;
    return open.find(({ address }) => address === leaderAt) ?? open[0];
  }

  #connect(address: string): void {
    if (this.#connections.has(address)) return;
    const connection: Connection = new Connection(address, this.#platform, {
      opened: () => this.#flushSoon(),
      news: (news) => this.#learn(news),
      replied: (replies) => this.#settle(replies),
      lost: (why) => this.#lose(connection, why),
    });
    this.#connections.set(address, connection);
  }

  /** A newer term knows better; within one, who leads is worth more than that nobody is known to. */
  #learn(news: LeaderNews): void {
    const known = this.#news;
    const isNews =
      known === undefined || news.term > known.term || (news.term === known.term && news.leaderId !== null);
    if (isNews) this.#news = news;
    for (const { address } of news.members) this.#connect(address);
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #settle(replies: readonly ClientReply[]): void {
    for (const reply of replies) {
      const call = this.#calls.take(reply.id);
      if (call === undefined) continue;
      call.sentTo = undefined;
      if ('payload' in reply) {
        call.resolve(reply.payload);
        continue;
      }
      const { code, message, details } = reply.error;
      const error = new QuorateError(code, message, { details });
      if (!isWorthAnotherTry(code)) {
        call.fail(error);
        continue;
      }
      call.lastRefusal = error;
      this.#askAgainLater(call);
    }
    if (this.#waiting.length > 0 && this.#retry === undefined) this.#flushSoon();
  }

  #lose(connection: Connection, why: string): void {
    for (const call of this.#calls) {
      if (call.sentTo !== connection) continue;
      this.#calls.take(call.id);
      if (call.survivesLossOf(connection, why)) this.#askAgainLater(call);
    }
    if (this.#waiting.length > 0) this.#flushSoon();
  }

  #askAgainLater(call: Call): void {
    if (this.#closed !== undefined) return call.fail(this.#closed);
    this.#waiting.push(call);
    this.#retry ??= this.#platform.setTimeout(() => {
      this.#retry = undefined;
      this.#flushSoon();
    }, RETRY_MS);
  }

  #sweepLater(): void {
    this.#sweep ??= this.#platform.setTimeout(() => {
      this.#sweep = undefined;
      const nowMs = this.#platform.now();
      for (const call of this.#waiting) {
        if (call.asked.deadlineMs <= nowMs) call.expire(() => this.#whyNobody());
      }
      this.#waiting = this.#waiting.filter(({ isOver }) => !isOver);
      for (const call of this.#calls) {
        if (call.asked.deadlineMs + GRACE_MS <= nowMs) call.expire(() => this.#whyNobody());
        if (call.isOver) this.#calls.take(call.id);
      }
      if (this.#waiting.length > 0) this.#flushSoon();
      if (this.#waiting.length > 0 || this.#calls.size > 0) this.#sweepLater();
    }, SWEEP_MS);
  }

  #whyNobody(): string {
    if (this.#calls.size >= MOST_UNDER_WAY) return `${MOST_UNDER_WAY} other calls were under way all the time`;
    const problems = [...this.#connections.values()]
      .filter(({ isOpen }) => !isOpen)
      .map(({ address, problem }) => `${address}: ${problem}`);
    if (problems.length === this.#connections.size) return `no node answers (${problems.join('; ')})`;
    return `no leader answered in time${problems.length === 0 ? '' : ` (${problems.join('; ')})`}`;
  }
}
