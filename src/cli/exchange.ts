import { request as open } from 'node:http';
import { HostNames } from '../dns/host-names.js';
import { systemLookup } from '../dns/system-lookup.js';

export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Why there is no answer. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(
    message: string,
    /** No connection was made: nothing can have been done there. */
    readonly wasNeverSent: boolean,
  ) {
    super(message);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'looking up the name failed: there is no host of that name (ENOTFOUND)',
  EAI_AGAIN: 'looking up the name failed: the name server did not answer (EAI_AGAIN)',
};

const names = new HostNames({
  lookup: systemLookup,
  clock: {
    now: () => performance.now(),
    setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  },
});

/**
 * One request to host:port, and its whole answer. Rejects with NoAnswer. `fetch` would take the keys `.` and `..` for steps in the
 * path, and refuses ports that browsers consider bad, such as 6000 and 10080.
 */
export function exchange(endpoint: string, request: HttpRequest, timeoutMs: number): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { method, path, headers, body } = request;
    const { hostname, port } = new URL(`http://${endpoint}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const signal = AbortSignal.timeout(timeoutMs);
    const reached = { lookedUp: false, connected: false };
    const fail = (error: Error & { readonly code?: string }): void => {
      const late = reached.lookedUp ? 'no answer in time' : 'looking up the name (DNS) took too long';
      const why = error.name === 'AbortError' ? late : (REASONS[error.code ?? ''] ?? error.message);
      reject(new NoAnswer(why, !reached.connected));
    };
    const where = { host, port: port || 80, agent: false as const, lookup: names.lookup };
    const asked = open({ ...where, path, method, headers: { ...headers }, signal }, (message) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', fail);
      message.on('end', () => {
        const { statusCode: status = 0, headers: given } = message;
        // Whoever listens there may not be Quorate: 204 goes with no body, not even an empty one.
        const content = chunks.length === 0 ? null : Buffer.concat(chunks);
        try {
          resolve(new Response(content, { status, headers: given as Record<string, string> }));
        } catch (error) {
          fail(error as Error);
        }
      });
    });
    asked.on('socket', (socket) => {
      if (/^[\d.]+$|:/.test(host)) reached.lookedUp = true;
      socket.once('lookup', (error: Error | null) => {
        reached.lookedUp = error === null;
      });
      socket.once('connect', () => {
        Object.assign(reached, { lookedUp: true, connected: true });
      });
    });
    asked.on('error', fail);
    asked.end(body);
  });
}
