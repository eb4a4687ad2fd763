import type { Codec } from './codec.js';

/** One question that clients may ask a state machine. */
export interface Query<Machine, Input, Answer> {
  /** How the question travels. `decode` refuses, by throwing, what `run` cannot take. */
  readonly input: Codec<Input>;
  /** How the answer travels. */
  readonly answer: Codec<Answer>;
  /** Reads the state machine and changes nothing. A QuorateError that it throws is the caller's answer. */
  readonly run: (stateMachine: Machine, input: Input) => Answer;
}

/** An HTTP request to a route of a service. Its functions may be taken out of it: `({ params, propose }) => …`. */
export interface RouteRequest<Machine, Command, Result, Params> {
  readonly method: string;
  /** The text that stood in the places of the path that have names, decoded. */
  readonly params: Params;
  readonly query: URLSearchParams;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Refuses parameters other than these with BAD_REQUEST: a misspelled one would silently not count. */
  readonly allowQuery: (...names: readonly string[]) => void;
  /** The whole body; TOO_LARGE where it has more bytes than the service allows. */
  readonly body: () => Promise<Uint8Array>;
  /** Like `ReplicaNode.propose`, within `?timeout=` and for as long as the caller waits. */
  readonly propose: (command: Command) => Promise<Result>;
  /** Like `ReplicaNode.read`, with `?consistency=`. The answer then says in `X-Quorate-Index` which log index it reflects. */
  readonly read: <Value>(query: (stateMachine: Machine) => Value) => Promise<Value>;
}

/** The answer of a route: a document as JSON, bytes, or only a status. */
export interface RouteAnswer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: object;
  /** `application/octet-stream`, unless `headers` say otherwise. */
  readonly bytes?: Uint8Array;
}

/** Answers a request. A QuorateError that it throws becomes the answer that its code has in the reference. */
export type Route<Machine, Command, Result, Params> = (
  request: RouteRequest<Machine, Command, Result, Params>,
) => RouteAnswer | Promise<RouteAnswer>;

/** `{ name: string }` for `'GET /v1/counters/{name}'`. */
export type ParamsOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { readonly [Key in Name extends `${infer Own}...` ? Own : Name]: string } & ParamsOf<Rest>
  : unknown;

/** The queries of a service by name. */
// biome-ignore lint/suspicious/noExplicitAny: each has types of its own
export type Queries = Readonly<Record<string, Query<any, any, any>>>;

/**
 * A state machine offers this to other processes: commands and queries for `quorate/client`, and routes for HTTP. Clients
 * need the name and the codecs of it, nodes all of it. `defineService` makes one.
 */
export interface Service<Machine, Command, Result, Named extends Queries = Queries> {
  /** Clients and nodes tell each other which service they mean by this name. */
  readonly name: string;
  /** The state machine's `codec`. Clients' bytes come in through it: what `decode` lets through, `apply` must be able to take. */
  readonly command: Codec<Command>;
  /** The state machine's `resultCodec`. */
  readonly result: Codec<Result>;
  readonly queries: Named;
  /** By method and path, as `'GET /v1/counters/{name}'`; `{name...}` at a path's end takes all that is left, slashes too. */
  // biome-ignore lint/suspicious/noExplicitAny: the names in the path are checked where the service is defined
  readonly routes: Readonly<Record<string, Route<Machine, Command, Result, any>>>;
  /** Size of an HTTP request's body at the most, and about that of a client's command. */
  readonly mostBodyBytes: number;
  /** Throws for a client's bytes that may not enter the log, where every replica will have to decode them. */
  readonly checkCommand: (bytes: Uint8Array) => void;
}

// biome-ignore lint/suspicious/noExplicitAny: where commands, results and questions pass through untouched, whatever their types
export type AnyService = Service<any, any, any>;

/** The commands that may be proposed through a client of this service. */
export type ServiceCommand<Of extends AnyService> = Parameters<Of['command']['encode']>[0];

/** The result that such a proposal resolves to. */
export type ServiceResult<Of extends AnyService> = ReturnType<Of['result']['decode']>;

/** A question as clients put it: the query's name, and its input. `{ count: 'visits' }` */
export type Question<Of extends AnyService, Name extends keyof Of['queries']> = {
  readonly [Key in Name]: Parameters<Of['queries'][Key]['input']['encode']>[0];
};

/** The answer to the query of this name. */
export type AnswerTo<Of extends AnyService, Name extends keyof Of['queries']> = ReturnType<
  Of['queries'][Name]['answer']['decode']
>;
