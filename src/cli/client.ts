import { addressOf } from '../client/endpoint.js';
import { isWorthAnotherTry, QuorateError } from '../errors/quorate-error.js';
import type { HttpRequest } from './exchange.js';
import { exchange, NoAnswer } from './exchange.js';
import { CommandFailure, EXIT, exitCodeFor, usage } from './exit.js';

export interface ClientOptions {
  /** host:port each; tried in this order. */
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
}

export interface Call extends HttpRequest {
  readonly query?: Readonly<Record<string, string>>;
}

/** A node answers in time; its answer may take a little longer. */
const GRACE_MS = 500;

export function parseEndpoints(text: string): readonly string[] {
  try {
    return text.split(',').map(addressOf);
  } catch (error) {
    if (error instanceof QuorateError) throw usage(`${error.message} (several are separated by commas)`);
    throw error;
  }
}

/**
 * Calls one endpoint after another, but goes on to the next only when the last provably did nothing: nobody listened, or a
 * node said so. A write that was sent and not answered ends as OUTCOME_UNKNOWN. A read leaves time for those after it:
 * one node that hangs must not keep the others from being asked.
 */
export async function call({ endpoints, timeoutMs }: ClientOptions, request: Call): Promise<Response> {
  const endMs = performance.now() + timeoutMs;
  const isRead = request.method === 'GET';
  const silent: string[] = [];
  let refusal: CommandFailure | undefined;
  for (const [at, endpoint] of endpoints.entries()) {
    const leftMs = Math.max(1, Math.floor(endMs - performance.now()));
    const shareMs = isRead ? Math.ceil(leftMs / (endpoints.length - at)) : leftMs;
    const query = new URLSearchParams({ ...request.query, timeout: String(shareMs) });
    try {
      const response = await exchange(endpoint, { ...request, path: `${request.path}?${query}` }, shareMs + GRACE_MS);
      if (response.ok) return response;
      refusal = await failureOf(endpoint, response);
      if (!isWorthAnotherTry(`QUORATE_${refusal.code}`)) throw refusal;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      if (!isRead && !error.wasNeverSent) throw unknownAt(endpoint, error);
      silent.push(`${endpoint} (${error.message})`);
    }
  }
  throw refusal ?? nobodyAnswers(silent);
}

async function failureOf(endpoint: string, response: Response): Promise<CommandFailure> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } & Record<string, unknown> };
    const { code, message, ...details } = error;
    return new CommandFailure(exitCodeFor(code), code, message, details);
  } catch {
    return new CommandFailure(EXIT.failed, 'FAILED', `${endpoint} answered HTTP ${response.status}: is that Quorate?`);
  }
}

function nobodyAnswers(silent: readonly string[]): CommandFailure {
  const hint =
    'is the cluster running? Start one with "quorate cluster", or name all its nodes, one of which may be dead, as in --endpoints 127.0.0.1:7401,127.0.0.1:7402';
  return new CommandFailure(EXIT.failed, 'NO_LEADER', `no node answers: ${silent.join(', ')}; ${hint}`);
}

function unknownAt(endpoint: string, { message: why }: NoAnswer): CommandFailure {
  return new CommandFailure(
    EXIT.unknown,
    'OUTCOME_UNKNOWN',
    `the connection to ${endpoint} was lost after the write was sent (${why}): it may still take effect; read before you retry`,
  );
}
