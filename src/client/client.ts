import { checkCallOptions } from '../calls/call-options.js';
import { checkTimeout, DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/timeout.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { KeyValueCommand, KeyValueResult } from '../key-value/codec.js';
import { keyValueCommandCodec, keyValueResultCodec } from '../key-value/codec.js';
import type { Consistency } from '../key-value/queries.js';
import { decodeEntry, decodePage, encodeGet, encodeList } from '../key-value/queries.js';
import type { KeyValueEntry, ListPage } from '../key-value/store.js';
import type { Operation } from '../wire/client-frames.js';
import type { CallOptions } from './call.js';
import { withFramesOfCaller } from './caller-frames.js';
import { bytesOf, checkConsistency, checkKey, checkLimit, checkText, conditionOf } from './checks.js';
import type { ClientEvents } from './client-events.js';
import type { DispatcherOptions } from './dispatcher.js';
import { Dispatcher } from './dispatcher.js';

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

const EVENT_NAMES: readonly (keyof ClientEvents)[] = ['connected', 'disconnected', 'leaderChanged'];
const OPTIONS_OF: Readonly<Record<Operation, readonly string[]>> = {
  propose: ['ifRevision', 'timeoutMs', 'signal'],
  get: ['consistency', 'timeoutMs', 'signal'],
  list: ['prefix', 'after', 'limit', 'consistency', 'timeoutMs', 'signal'],
};

/**
 * A cluster's key-value store, from outside. Keeps a connection to every node that it knows of, asks the leader as soon as
 * it knows who that is, and any other node until then. What is asked in one turn of the event loop goes in one frame.
 */
export class QuorateClient implements AsyncDisposable {
  readonly #dispatcher: Dispatcher;

  constructor(options: DispatcherOptions) {
    this.#dispatcher = new Dispatcher(options);
  }

  /** Who leads, as far as any node has told. */
  get leaderId(): string | null {
    return this.#dispatcher.leaderId;
  }

  /**
   * Calls `listener` whenever a node is connected or disconnected, or another one leads. The function that is returned removes
   * it; `close` removes all. What happened before, as the first connection, is not told again: `leaderId` has the present.
   */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    if (!EVENT_NAMES.includes(name))
      throw badRequest(`expected the name of an event, one of ${EVENT_NAMES.join(', ')}, got ${JSON.stringify(name)}`);
    if (typeof listener !== 'function')
      throw badRequest(`expected a listener to be a function, got ${String(listener)}`);
    return this.#dispatcher.events.on(name, listener);
  }

  /**
   * Sets a key. Resolves once a majority has the write on disk and it is applied. Rejects with CONFLICT, TOO_LARGE,
   * NO_LEADER, NO_QUORUM, OVERLOADED or ABORTED, where nothing was done, and with OUTCOME_UNKNOWN.
   */
  put(key: string, value: Uint8Array | string, options: WriteOptions = {}): Promise<{ readonly revision: number }> {
    const command = (): KeyValueCommand => ({ kind: 'put', key, value: bytesOf(value) });
    return this.#propose(key, command, options, ({ revision }) => ({ revision }));
  }

  /** Removes a key. `deleted` is false where there was none; then the store's revision has not changed. */
  delete(key: string, options: WriteOptions = {}): Promise<{ readonly deleted: boolean; readonly revision: number }> {
    return this.#propose(
      key,
      () => ({ kind: 'delete', key }),
      options,
      (result) => {
        return { deleted: result.kind === 'deleted' && result.deleted, revision: result.revision };
      },
    );
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
    this.#dispatcher.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves once a node has answered; rejects with NO_LEADER, and why, if none does in time. */
  ready(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    return this.#dispatcher.ready(timeoutMs, signal);
  }

  #propose<Value>(
    key: string,
    command: () => KeyValueCommand,
    options: WriteOptions,
    answerOf: (result: Exclude<KeyValueResult, { kind: 'conflict' }>) => Value,
  ): Promise<Value> {
    const decode = (payload: Uint8Array): Value => {
      const result = keyValueResultCodec.decode(payload);
      if (result.kind !== 'conflict') return answerOf(result);
      const { revision } = result;
      const now = revision === null ? 'does not exist' : `has revision ${revision}`;
      throw new QuorateError('QUORATE_CONFLICT', `the condition failed: ${key} ${now}`, {
        details: { revision },
      });
    };
    return this.#ask('propose', options, decode, () => {
      checkKey(key);
      return keyValueCommandCodec.encode({ ...command(), ...conditionOf(options) });
    });
  }

  /** Nothing is awaited on a call's way: at thousands of calls a turn each further promise is felt. */
  #ask<Value>(
    operation: Operation,
    options: CallOptions,
    decode: (payload: Uint8Array) => Value,
    encode: () => Uint8Array,
  ): Promise<Value> {
    const answer = new Promise<Value>((resolve, reject) => {
      checkCallOptions(options, OPTIONS_OF[operation]);
      const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
      checkTimeout(timeoutMs, MOST_TIMEOUT_MS);
      if (signal?.aborted === true)
        throw new QuorateError('QUORATE_ABORTED', 'the call was aborted before anything was done', {
          cause: signal.reason,
        });
      const deadlineMs = this.#dispatcher.deadlineMs(timeoutMs);
      this.#dispatcher.ask({ operation, payload: encode(), deadlineMs, signal, decode, resolve, reject });
    });
    return withFramesOfCaller(answer);
  }
}
