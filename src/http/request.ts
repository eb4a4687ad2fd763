import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from './exchange.js';
import type { ServedNode } from './served-node.js';

/** A request with its path and query taken apart. */
export interface HttpRequest {
  readonly method: string;
  /** Without the prefix under which the routes are mounted. Still percent-encoded, and never normalized. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly exchange: Exchange;
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly node: ServedNode;
  /** Size of its body at the most. */
  readonly mostBodyBytes: number;
  /** Whether a client that offers a body (`Expect`) has not been asked for it yet. */
  readonly mustAskForBody: boolean;
}
