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

export function parseEndpoints(text: string): readonly string[] {
  const endpoints = text.split(',').map((endpoint) => endpoint.trim().replace(/^http:\/\//, ''));
  const bad = endpoints.find((endpoint) => !/^(\[[^\]]+\]|[^:/\s]+):\d{1,5}$/.test(endpoint));
  if (bad === undefined) return endpoints;
  throw usage(`the endpoint "${bad}" will not do: host:port would, several separated by commas`);
}

/**
 * Calls one endpoint after another, but goes on to the next only when the last provably did nothing: nobody listened, or a
 * node said so (503). A write that was sent and not answered ends as OUTCOME_UNKNOWN. A read leaves time for those after it:
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
      const response = await fetch(`http://${endpoint}${request.path}?${query}`, {
        method: request.method,
        headers: request.headers ?? {},
        signal: AbortSignal.timeout(shareMs + GRACE_MS),
        ...(request.body === undefined ? {} : { body: request.body }),
      });
      if (response.ok) return response;
      last = await failureOf(response);
      if (response.status !== 503) throw last;
    } catch (error) {
      if (error instanceof CommandFailure) throw error;
      last = lost(endpoint, error, request.method !== 'GET');
      if (last.exitCode === EXIT.unknown) throw last;
    }
  }
  throw last;
}

async function failureOf(response: Response): Promise<CommandFailure> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } & Record<string, unknown> };
    const { code, message, ...details } = error;
    return new CommandFailure(exitCodeFor(code), code, message, details);
  } catch {
    return new CommandFailure(
      EXIT.failed,
      'FAILED',
      `${response.url} answered HTTP ${response.status}: is that Quorate?`,
    );
  }
}

function lost(endpoint: string, error: unknown, isWrite: boolean): CommandFailure {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const wasNeverSent = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(
    cause?.code ?? '',
  );
  const why = cause?.code === 'ECONNREFUSED' ? 'nobody listens there' : (cause?.message ?? (error as Error).message);
  if (wasNeverSent || !isWrite) {
    const hint = 'is the cluster running? Start one with "quorate cluster", or name nodes with --endpoints';
    return new CommandFailure(EXIT.failed, 'NO_LEADER', `${endpoint} does not answer (${why}); ${hint}`);
  }
  return new CommandFailure(
    EXIT.unknown,
    'OUTCOME_UNKNOWN',
    `the connection to ${endpoint} was lost after the write was sent (${why}): it may or may not take effect; read before you retry`,
  );
}
