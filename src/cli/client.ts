import { request as open } from 'node:http';
import { isEndpoint } from '../client/endpoint.js';
import { isWorthAnotherTry } from '../seams/errors.js';
import { CommandFailure, EXIT, exitCodeFor, usage } from './exit.js';

export interface ClientOptions {
  /** host:port each; tried in this order. */
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
}

export interface Call {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** A node answers in time; its answer may take a little longer. */
const GRACE_MS = 500;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'there is no host of that name',
};

export function parseEndpoints(text: string): readonly string[] {
  const endpoints = text.split(',').map((endpoint) => endpoint.trim().replace(/^http:\/\//, ''));
  const bad = endpoints.find((endpoint) => !isEndpoint(endpoint));
  if (bad === undefined) return endpoints;
  throw usage(`the endpoint "${bad}" will not do: host:port would, several separated by commas`);
}

/**
 * Calls one endpoint after another, but goes on to the next only when the last provably did nothing: nobody listened, or a
 * node said so. A write that was sent and not answered ends as OUTCOME_UNKNOWN. A read leaves time for those after it:
 * one node that hangs must not keep the others from being asked.
 */
export async function call({ endpoints, timeoutMs }: ClientOptions, request: Call): Promise<Response> {
  const endMs = performance.now() + timeoutMs;
  const isRead = request.method === 'GET';
  let last = new CommandFailure(EXIT.failed, 'NO_LEADER', 'no endpoint was given');
  for (const [at, endpoint] of endpoints.entries()) {
    const leftMs = Math.max(1, Math.floor(endMs - performance.now()));
    const shareMs = isRead ? Math.ceil(leftMs / (endpoints.length - at)) : leftMs;
    const query = new URLSearchParams({ ...request.query, timeout: String(shareMs) });
    try {
      const response = await exchange(endpoint, { ...request, path: `${request.path}?${query}` }, shareMs + GRACE_MS);
      if (response.ok) return response;
      last = await failureOf(endpoint, response);
      if (!isWorthAnotherTry(`QUORATE_${last.code}`)) throw last;
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      last = lost(endpoint, error, request.method !== 'GET');
      if (last.exitCode === EXIT.unknown) throw last;
    }
  }
  throw last;
}

/** One request and its whole answer. `fetch` would take the keys `.` and `..` for steps in the path. */
function exchange(endpoint: string, { method, path, headers, body }: Call, timeoutMs: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(`http://${endpoint}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const signal = AbortSignal.timeout(timeoutMs);
    const options = { host, port: port || 80, path, method, headers: { ...headers }, signal, agent: false as const };
    const asked = open(options, (message) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', reject);
      message.on('end', () => {
        const { statusCode: status = 0, headers: given } = message;
        // Whoever listens there may not be Quorate: 204 goes with no body, not even an empty one.
        const content = chunks.length === 0 ? null : Buffer.concat(chunks);
        try {
          resolve(new Response(content, { status, headers: given as Record<string, string> }));
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
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

function lost(endpoint: string, error: unknown, isWrite: boolean): CommandFailure {
  const { code = '', name, message } = error as Error & { code?: string };
  const wasNeverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].includes(code);
  const why = REASONS[code] ?? (name === 'AbortError' ? 'no answer in time' : message);
  if (wasNeverSent || !isWrite) {
    const hint =
      'is the cluster running? Start one with "quorate cluster", or name all its nodes, one of which may be dead, as in --endpoints 127.0.0.1:7401,127.0.0.1:7402';
    return new CommandFailure(EXIT.failed, 'NO_LEADER', `${endpoint} does not answer (${why}); ${hint}`);
  }
  return new CommandFailure(
    EXIT.unknown,
    'OUTCOME_UNKNOWN',
    `the connection to ${endpoint} was lost after the write was sent (${why}): it may or may not take effect; read before you retry`,
  );
}
