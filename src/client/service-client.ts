import type { Consistency } from '../calls/call-options.js';
import {
  checkCallOptions,
  checkConsistency,
  checkTimeout,
  DEFAULT_TIMEOUT_MS,
  MOST_TIMEOUT_MS,
} from '../calls/call-options.js';
import { aborted } from '../calls/pending-call.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { AnswerTo, AnyService, Queries, Question, ServiceCommand, ServiceResult } from '../seams/service.js';
import type { Operation } from '../wire/client-frames.js';
import { encodeQuestion } from '../wire/question.js';
import type { CallOptions } from './call.js';
import { withFramesOfCaller } from './caller-frames.js';
import type { ClientEvents } from './client-events.js';
import type { DispatcherOptions } from './dispatcher.js';
import { Dispatcher } from './dispatcher.js';
import type { ReadyOptions } from './first-answer.js';

export interface ReadOptions extends CallOptions {
  /** Default `linearizable`. */
  readonly consistency?: Consistency;
}

/** One call: what goes to a node, and what becomes of its answer. */
export interface CallToMake<Value> {
  readonly options: CallOptions;
  /** The names that `options` may have. */
  readonly optionNames: readonly string[];
  /** Makes the request. What it throws rejects the call, and nothing is sent. */
  readonly request: () => { readonly operation: Operation; readonly payload: Uint8Array };
  readonly decode: (answer: Uint8Array, index: number | undefined) => Value;
}

/** An answer to a query, and the state that it was made of. */
export interface IndexedAnswer<Answer> {
  readonly answer: Answer;
  /** All entries of the log up to this index were applied. Undefined where the node that answered is of a version that does not tell. */
  readonly index: number | undefined;
}

/** Decodes an answer as `decode` does, and keeps the index that it reflects. */
export function withIndex<Answer>(decode: (answer: Uint8Array) => Answer) {
  return (answer: Uint8Array, index: number | undefined): IndexedAnswer<Answer> => ({ answer: decode(answer), index });
}

const EVENT_NAMES: readonly (keyof ClientEvents)[] = ['connected', 'disconnected', 'leaderChanged'];
/** Most bytes of a command beside the largest body: a key, a name. */
const BESIDE_BODY_BYTES = 64 * 1024;
/** Names of the options that every call has. */
export const CALL_OPTIONS: readonly string[] = ['timeoutMs', 'signal', 'waitsOutOverload'];
const QUERY_OPTIONS = ['consistency', ...CALL_OPTIONS];

/**
 * The service of a cluster's state machine, from outside. Keeps a connection to every node that it knows of, asks the leader as
 * soon as it knows who that is, and any other node until then. What is asked in one turn of the event loop goes in one frame.
 */
export class ServiceClient<Of extends AnyService> implements AsyncDisposable {
  readonly #service: Of;
  readonly #dispatcher: Dispatcher;

  /** @internal */
  constructor(service: Of, options: Omit<DispatcherOptions, 'service'>) {
    this.#service = service;
    this.#dispatcher = new Dispatcher({ ...options, service: service.name });
  }

  /** The id of the leader that a node named last; null where none did. */
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
   * Proposes a command. Resolves to the state machine's result once a majority has the command on disk and it is applied.
   * Rejects with BAD_REQUEST, TOO_LARGE, NO_LEADER, NO_QUORUM, OVERLOADED or ABORTED, where nothing was done, with NOT_FOUND
   * where the nodes have another service, and with OUTCOME_UNKNOWN.
   */
  propose(command: ServiceCommand<Of>, options: CallOptions = {}): Promise<ServiceResult<Of>> {
    return this.call({
      options,
      optionNames: CALL_OPTIONS,
      request: () => ({
        operation: 'propose',
        payload: this.#encode('this command', () => this.#service.command.encode(command)),
      }),
      decode: (result) => this.#service.result.decode(result),
    });
  }

  /**
   * Asks one of the service's queries, given by its name with its input: `query({ count: 'visits' })`. By default the answer
   * never lacks a write that was acknowledged before. Rejects as `propose` does, but never with OUTCOME_UNKNOWN.
   */
  query<Name extends keyof Of['queries'] & string>(
    question: Question<Of, Name>,
    options: ReadOptions = {},
  ): Promise<AnswerTo<Of, Name>> {
    return this.call(this.#queryCall(question, options, this.#answerTo(question)));
  }

  /** As `query`, and says which log index the answer reflects: what a stale one may lack. */
  queryWithIndex<Name extends keyof Of['queries'] & string>(
    question: Question<Of, Name>,
    options: ReadOptions = {},
  ): Promise<IndexedAnswer<AnswerTo<Of, Name>>> {
    return this.call(this.#queryCall(question, options, withIndex(this.#answerTo(question))));
  }

  /** Ends all connections. Calls under way are rejected: writes that were sent with OUTCOME_UNKNOWN. */
  async close(): Promise<void> {
    this.#dispatcher.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @internal Resolves once a node has answered; rejects with NO_LEADER, and why, if none does in time. */
  ready(options: ReadyOptions): Promise<void> {
    return withFramesOfCaller(this.#dispatcher.ready(options));
  }

  /**
   * Nothing is awaited on a call's way: at thousands of calls a turn each further promise is felt.
   * @internal
   */
  protected call<Value>({ options, optionNames, request, decode }: CallToMake<Value>): Promise<Value> {
    const answer = new Promise<Value>((resolve, reject) => {
      checkCallOptions(options, optionNames);
      const { timeoutMs = DEFAULT_TIMEOUT_MS, signal, waitsOutOverload = true } = options;
      checkTimeout(timeoutMs, MOST_TIMEOUT_MS);
      if (signal?.aborted === true) throw aborted(signal.reason);
      const { operation, payload } = request();
      const deadlineMs = this.#dispatcher.deadlineMs(timeoutMs);
      this.#dispatcher.ask({ operation, payload, deadlineMs, signal, waitsOutOverload, decode, resolve, reject });
    });
    return withFramesOfCaller(answer);
  }

  #queryCall<Name extends keyof Of['queries'] & string, Value>(
    question: Question<Of, Name>,
    options: ReadOptions,
    decode: CallToMake<Value>['decode'],
  ): CallToMake<Value> {
    return {
      options,
      optionNames: QUERY_OPTIONS,
      request: () => {
        const name = this.#queryIn(question);
        const { input } = this.#queryNamed(name);
        const bytes = this.#encode(`this input of the query "${name}"`, () => input.encode(question[name as Name]));
        return encodeQuestion({ name, consistency: checkConsistency(options.consistency), input: bytes });
      },
      decode,
    };
  }

  #answerTo<Name extends keyof Of['queries'] & string>(question: Question<Of, Name>) {
    return (answer: Uint8Array): AnswerTo<Of, Name> => this.#queryNamed(this.#queryIn(question)).answer.decode(answer);
  }

  #queryIn(question: object): string {
    const names = Object.keys(Object(question));
    const [name] = names;
    if (name !== undefined && names.length === 1 && Object.hasOwn(this.#service.queries, name)) return name;
    const known = Object.keys(this.#service.queries).join(', ');
    throw badRequest(
      `expected a question with the name of one query, as in { name: input }, where the service "${this.#service.name}" has ${known || 'none'}; got ${names.length === 0 ? shown(question) : names.join(', ')}`,
    );
  }

  #queryNamed(name: string): Queries[string] {
    return this.#service.queries[name] as Queries[string];
  }

  /** Refuses commands that no node would take: a frame that is too large would end its connection, and all calls under way. */
  #encode(what: string, encode: () => Uint8Array): Uint8Array {
    const bytes = this.#tryTo(what, encode);
    const mostBytes = this.#service.mostBodyBytes + BESIDE_BODY_BYTES;
    if (bytes.byteLength <= mostBytes) return bytes;
    const message = `expected ${what} to have at most ${mostBytes} bytes once encoded, got ${bytes.byteLength}: split it`;
    throw new QuorateError('QUORATE_TOO_LARGE', message);
  }

  #tryTo(what: string, encode: () => Uint8Array): Uint8Array {
    try {
      return encode();
    } catch (cause) {
      if (cause instanceof QuorateError) throw cause;
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `the service "${this.#service.name}" cannot take ${what}: ${why}`;
      throw new QuorateError('QUORATE_BAD_REQUEST', message, { cause });
    }
  }
}
