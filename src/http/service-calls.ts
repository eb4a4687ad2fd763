import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { AnyService, Query } from '../seams/service.js';
import { MalformedBytes } from '../wire/bytes.js';
import type { ClientReply } from '../wire/client-frames.js';
import type { ServedNode } from './served-node.js';

/** The reply to a request that was refused, or whose outcome is unknown. */
export function refusal(id: number, { code, message, details }: QuorateError): ClientReply {
  return { id, error: { code, message, details } };
}

/** The calls that one client may make to a node's service. All of them throw QuorateErrors and nothing else. */
export class ServiceCalls {
  readonly #service: AnyService;
  readonly #node: ServedNode;

  /** `meant` is the service that the client takes the node for. Throws NOT_FOUND where the node has another, or none. */
  constructor(node: ServedNode, meant: string) {
    const { service } = node;
    if (service?.name !== meant) throw hasAnother(service, meant);
    this.#service = service;
    this.#node = node;
  }

  /** Throws for bytes that may not enter the log: BAD_REQUEST, or what the service says. */
  checkCommand(bytes: Uint8Array): void {
    try {
      this.#service.checkCommand(bytes);
    } catch (error) {
      throw asRefused(error, `the service "${this.#service.name}" cannot take this command`);
    }
  }

  /** The reply to a command that was applied. */
  replyWith(id: number, result: unknown): ClientReply {
    try {
      return { id, payload: this.#service.result.encode(result) };
    } catch (cause) {
      const why = `the command was applied, but the service "${this.#service.name}" cannot encode its result`;
      return refusal(id, new QuorateError('QUORATE_OUTCOME_UNKNOWN', `${why}: ${wordsOf(cause)}`));
    }
  }

  /** How to answer a query, once the state machine may be read. Its input is looked at now. */
  question(name: string, inputBytes: Uint8Array): () => Uint8Array {
    const { queries } = this.#service;
    if (!Object.hasOwn(queries, name))
      throw new QuorateError(
        'QUORATE_NOT_FOUND',
        `expected a query of the service "${this.#service.name}", got "${name}"`,
      );
    // biome-ignore lint/suspicious/noExplicitAny: the codecs and `run` of one query fit each other
    const { input, answer, run } = queries[name] as Query<any, any, any>;
    const attempt = <Value>(act: () => Value): Value => {
      try {
        return act();
      } catch (error) {
        throw asRefused(error, `the query "${name}" failed`);
      }
    };
    const value = attempt(() => input.decode(inputBytes));
    return () => attempt(() => answer.encode(run(this.#node.stateMachine, value)));
  }
}

function hasAnother(service: AnyService | undefined, meant: string): QuorateError {
  const has = service === undefined ? 'none' : `"${service.name}"`;
  return new QuorateError(
    'QUORATE_NOT_FOUND',
    `expected a node with the service "${meant}", but this one has ${has}: connect with the definition of its service, or open the node with that service`,
  );
}

/** Makes an error that a service's code has thrown into an answer to its caller. */
function asRefused(error: unknown, what: string): QuorateError {
  if (error instanceof QuorateError) return error;
  if (error instanceof MalformedBytes) return badRequest(error.message);
  return new QuorateError('QUORATE_BAD_REQUEST', `${what}: ${wordsOf(error)}`, { cause: error });
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
