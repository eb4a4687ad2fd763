import type { Consistency } from '../calls/call-options.js';
import type { CallRequest } from '../calls/pending-call.js';
import type { QuorateError } from '../errors/quorate-error.js';
import type { EventStream } from '../report/node-report.js';
import type { AnyService } from '../seams/service.js';
import type { AnyStateMachine } from '../seams/state-machine.js';
import type { LeaderNews } from '../wire/client-frames.js';

/** A node as the outside sees it: everything that serving people and clients needs. */
export interface ServedNode {
  readonly address: string;
  /** Names that the Host header may have beside localhost, IP addresses and the members' addresses. */
  readonly allowHosts: readonly string[];
  readonly state: {
    readonly role: string;
    readonly peers: Readonly<Record<string, { readonly address: string }>>;
    /** The state machine holds every entry of the log up to this index. */
    readonly lastApplied: number;
  };
  /** The operations that clients and HTTP may ask of the state machine; undefined where there are none. */
  readonly service: AnyService | undefined;
  /** The service's queries are run on it. */
  readonly stateMachine: unknown;
  status(): object;
  snapshot(options: CallLimits): Promise<object>;
  whyNotReady(): QuorateError | undefined;
  propose(command: unknown, options: CallLimits): Promise<unknown>;
  read<Value>(
    query: (stateMachine: AnyStateMachine) => Value,
    options: CallLimits & { consistency: Consistency },
  ): Promise<Value>;
  /** Like `propose`, for a command that its codec has encoded, and with a callback: a promise costs more than the call itself. */
  submit(command: Uint8Array, request: CallRequest<unknown>): void;
  /** Whether this process stood still a moment ago, and has not read yet all that came meanwhile. */
  readonly isReadingBacklog: boolean;
  /** Calls back when the state machine here may be read: linearizably, where nothing else is asked for. */
  ask(request: CallRequest<undefined> & { consistency: Consistency }): void;
  /** @internal What the node tells of itself, for whoever looks. */
  readonly reports: NodeReports;
  /** Tells at once who leads, and again at each change, until it is stopped. */
  watchLeader(tell: (news: LeaderNews) => void): () => void;
}

/** A node's reports, from which `GET /v1/events` and `GET /metrics` are answered. */
export interface NodeReports {
  /** Sends a reader all there is, and from then on what comes. Returns how to stop. */
  watch(reader: EventReader): () => void;
  /** All metrics as Prometheus reads them, and the type of that text. */
  metrics(): Promise<{ readonly type: string; readonly text: string }>;
  /** A read was answered with what this node happens to have. */
  countStaleRead(): void;
  /** An HTTP request was answered with this error. */
  countError(error: QuorateError): void;
}

/** Gets the messages of an event stream, each under its name and as JSON. */
export interface EventReader {
  send(name: keyof EventStream, json: string): void;
  /** Nothing more comes: the node is closed. */
  end(): void;
}

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
