import { request as open } from 'node:http';
import { processNames } from '../dns/process-names.js';
import { CommandFailure, EXIT, exitCodeFor, NoAnswer } from './exit.js';

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'looking up the name failed: there is no host of that name (ENOTFOUND)',
  EAI_AGAIN: 'looking up the name failed: the name server did not answer (EAI_AGAIN)',
};

/** Why a connection is not there, in plain words. */
export function reasonOf({ code = '', message }: Error & { readonly code?: string }): string {
  return code === 'ECONNREFUSED'
    ? 'connection refused'
    : code === 'ECONNRESET'
      ? 'connection reset'
      : (REASONS[code] ?? message);
}

/**
 * Asks host:port for what is at a path, or has it done with POST, and resolves to the whole answer. Rejects with NoAnswer. `fetch` refuses ports that browsers
 * consider bad, such as 6000 and 10080.
 */
export function exchange(
  endpoint: string,
  path: string,
  timeoutMs: number,
  method: 'GET' | 'POST' = 'GET',
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(`http://${endpoint}`);
    const host = hostname.replace(/^\[|\]$/g, '');
    const signal = AbortSignal.timeout(timeoutMs);
    let isLookedUp = false;
    const fail = (error: Error & { readonly code?: string }): void => {
      const late = isLookedUp ? 'no answer in time' : 'looking up the name (DNS) took too long';
      reject(new NoAnswer(error.name === 'AbortError' ? late : (REASONS[error.code ?? ''] ?? error.message)));
    };
    const where = { host, port: port || 80, agent: false as const, lookup: processNames.lookup };
    const asked = open({ ...where, method, path, signal }, (message) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('error', fail);
      message.on('end', () => {
        const { statusCode: status = 0, headers: given } = message;
        // The server there may not be Quorate: 204 goes with no body, not even an empty one.
        const content = chunks.length === 0 ? null : Buffer.concat(chunks);
        try {
          resolve(new Response(content, { status, headers: given as Record<string, string> }));
        } catch (error) {
          fail(error as Error);
        }
      });
    });
    asked.on('socket', (socket) => {
      if (/^[\d.]+$|:/.test(host)) isLookedUp = true;
      socket.once('lookup', (error: Error | null) => {
        isLookedUp = error === null;
      });
    });
    asked.on('error', fail);
    asked.end();
  });
}

/** A node answers in time; its answer may take a little longer. */
const GRACE_MS = 500;

/** The document at a path of a node. Throws NoAnswer, and for an answer that is an error the failure that it names. */
export async function getDocument<Document>(endpoint: string, path: string, timeoutMs: number): Promise<Document> {
  const response = await exchange(endpoint, path, timeoutMs + GRACE_MS);
  if (response.ok) return (await response.json()) as Document;
  throw await failureIn(endpoint, response);
}

/** Like `getDocument`, for a request that changes something; the node itself waits for `timeoutMs`. */
export async function postDocument<Document>(endpoint: string, path: string, timeoutMs: number): Promise<Document> {
  const response = await exchange(endpoint, `${path}?timeout=${timeoutMs}`, timeoutMs + GRACE_MS, 'POST');
  if (response.ok) return (await response.json()) as Document;
  throw await failureIn(endpoint, response);
}

async function failureIn(endpoint: string, response: Response): Promise<CommandFailure> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } & Record<string, unknown> };
    const { code, message, ...details } = error;
    return new CommandFailure(exitCodeFor(code), code, message, details);
  } catch {
    return new CommandFailure(EXIT.failed, 'FAILED', `${endpoint} answered HTTP ${response.status}: is that Quorate?`);
  }
}
