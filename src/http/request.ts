import type { IncomingMessage, ServerResponse } from 'node:http';
import { DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/timeout.js';
import { parseWholeNumber } from '../calls/whole-number.js';
import { badRequest } from '../errors/quorate-error.js';
import type { Exchange } from './exchange.js';
import type { CallLimits, ServedNode } from './served-node.js';

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
  /** Of its body. */
  readonly mostBodyBytes: number;
  /** Whether a client that offers a body (`Expect`) has not been asked for it yet. */
  readonly mustAskForBody: boolean;
}

/** Until when the caller waits, and whether it still does. */
export function limitsOf({ query, exchange }: HttpRequest): CallLimits {
  const timeoutMs = numberInQuery(query, 'timeout', DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS);
  return { timeoutMs, signal: exchange.signal };
}

/** A misspelled name must not pass for none: `?prefx=a` would list everything. */
export function allowQuery({ query }: HttpRequest, names: readonly string[]): void {
  const given = [...query.keys()];
  const twice = given.find((name, at) => given.indexOf(name) !== at);
  if (twice !== undefined) throw badRequest(`?${twice}= is there more than once`);
  const unknown = given.find((name) => !names.includes(name));
  if (unknown !== undefined) throw badRequest(`expected no parameter but ${names.join(', ')}, got ?${unknown}=`);
}

/** A parameter that is a whole number from 1 to `most`; `otherwise` where it is not there. */
export function numberInQuery(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = parseWholeNumber(text, { least: 1, most });
  if (value !== undefined) return value;
  throw badRequest(`expected ?${name}= to be a whole number from 1 to ${most}, got "${text}"`);
}
