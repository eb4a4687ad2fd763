import { checkConsistency } from '../calls/call-options.js';
import type { CallOptions } from '../client/call.js';
import type { DispatcherOptions } from '../client/dispatcher.js';
import type { CallToMake, IndexedAnswer, ReadOptions } from '../client/service-client.js';
import { CALL_OPTIONS, ServiceClient, withIndex } from '../client/service-client.js';
import { QuorateError } from '../errors/quorate-error.js';
import { SlabAllocator } from '../wire/bytes.js';
import { encodeQuestion } from '../wire/question.js';
import { bytesOf, checkKey, checkLimit, checkText, conditionOf } from './checks.js';
import type { KeyValueCommand, KeyValueResult } from './codec.js';
import { conflict, createKeyValueCommandCodec, keyValueResultCodec } from './codec.js';
import type { KeyValueEntry, ListPage, ListQuery } from './entries.js';
import { entryCodec, keyCodec, listQueryCodec, pageCodec } from './queries.js';
import type { KeyValueService } from './service.js';
import { keyValueService } from './service.js';

export interface WriteOptions extends CallOptions {
  /** Only if the key's entry has this revision; 0: only if there is none. Otherwise CONFLICT, with the present `revision`. */
  readonly ifRevision?: number;
}

/** `limit` is 1,000 by default, and at most 10,000. */
export interface ListOptions extends ReadOptions, ListQuery {}

const WRITE_OPTIONS = ['ifRevision', ...CALL_OPTIONS];
const GET_OPTIONS = ['consistency', ...CALL_OPTIONS];
const LIST_OPTIONS = ['prefix', 'after', 'limit', 'consistency', ...CALL_OPTIONS];

/** A cluster's key-value store, from outside. */
export class KeyValueClient extends ServiceClient<KeyValueService> {
  readonly #commandCodec = createKeyValueCommandCodec(new SlabAllocator());

  /** @internal */
  constructor(options: Omit<DispatcherOptions, 'service'>) {
    super(keyValueService, options);
  }

  /**
   * Sets a key. Resolves once a majority has the write on disk and it is applied. Rejects with CONFLICT, TOO_LARGE,
   * NO_LEADER, NO_QUORUM, OVERLOADED or ABORTED, where nothing was done, and with OUTCOME_UNKNOWN.
   */
  put(key: string, value: Uint8Array | string, options: WriteOptions = {}): Promise<{ readonly revision: number }> {
    const command = (): KeyValueCommand => ({ kind: 'put', key, value: bytesOf(value) });
    return this.#write(key, command, options, ({ revision }) => ({ revision }));
  }

  /** Removes a key. `deleted` is false where there was none; then the store's revision has not changed. */
  delete(key: string, options: WriteOptions = {}): Promise<{ readonly deleted: boolean; readonly revision: number }> {
    const command = (): KeyValueCommand => ({ kind: 'delete', key });
    return this.#write(key, command, options, (result) => {
      return { deleted: result.kind === 'deleted' && result.deleted, revision: result.revision };
    });
  }

  /** The key's value and revision, undefined where it is absent. */
  get(key: string, options: ReadOptions = {}): Promise<KeyValueEntry | undefined> {
    return this.call(callToGet(key, options, entryCodec.decode));
  }

  /** As `get`, and says which log index the answer reflects: what a stale one may lack. `answer` is undefined where the key is absent. */
  getWithIndex(key: string, options: ReadOptions = {}): Promise<IndexedAnswer<KeyValueEntry | undefined>> {
    return this.call(callToGet(key, options, withIndex(entryCodec.decode)));
  }

  /** Keys in byte order, page by page: ask again with `after: page.next` until that is null. */
  list(options: ListOptions = {}): Promise<ListPage> {
    return this.call(callToList(options, pageCodec.decode));
  }

  /** As `list`, and says which log index the page reflects. */
  listWithIndex(options: ListOptions = {}): Promise<IndexedAnswer<ListPage>> {
    return this.call(callToList(options, withIndex(pageCodec.decode)));
  }

  /** Not in this version. */
  watch(_key: string): never {
    throw new QuorateError('QUORATE_NOT_IN_THIS_VERSION', 'watching: not in this version');
  }

  #write<Value>(
    key: string,
    command: () => KeyValueCommand,
    options: WriteOptions,
    answerOf: (result: Exclude<KeyValueResult, { kind: 'conflict' }>) => Value,
  ): Promise<Value> {
    return this.call({
      options,
      optionNames: WRITE_OPTIONS,
      request: () => {
        checkKey(key);
        const payload = this.#commandCodec.encode({ ...command(), ...conditionOf(options) });
        return { operation: 'propose', payload };
      },
      decode: (payload) => {
        const result = keyValueResultCodec.decode(payload);
        if (result.kind === 'conflict') throw conflict(key, result.revision);
        return answerOf(result);
      },
    });
  }
}

function callToGet<Value>(key: string, options: ReadOptions, decode: CallToMake<Value>['decode']): CallToMake<Value> {
  return {
    options,
    optionNames: GET_OPTIONS,
    request: () => {
      checkKey(key);
      const consistency = checkConsistency(options.consistency);
      return encodeQuestion({ name: 'get', consistency, input: keyCodec.encode(key) });
    },
    decode,
  };
}

function callToList<Value>(options: ListOptions, decode: CallToMake<Value>['decode']): CallToMake<Value> {
  return {
    options,
    optionNames: LIST_OPTIONS,
    request: () => {
      const { prefix = '', after, limit = 1_000 } = options;
      checkText('prefix', prefix);
      checkText('after', after ?? '');
      checkLimit(limit);
      const input = listQueryCodec.encode({ prefix, limit, ...(after === undefined ? {} : { after }) });
      return encodeQuestion({ name: 'list', consistency: checkConsistency(options.consistency), input });
    },
    decode,
  };
}
