import type { IncomingMessage } from 'node:http';
import { request as open } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { processNames } from '../dns/process-names.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { HttpRequest } from './exchange.js';

/** What a node tells of itself may be asked of another member through this node: a browser may not reach that member's own address. */
export const ASKED_THROUGH = ['/v1/events', '/v1/status', '/health/ready'];
/** So many at a time: each takes a connection to another node. */
const MOST_AT_A_TIME = 64;
/** A node that lives says something at least once a second. */
const SILENT_MS = 3_000;
const PASSED_ON = ['content-type', 'content-length', 'cache-control', 'x-content-type-options', 'x-accel-buffering'];

let underWay = 0;

/** The member that a request asks about, by the parameter `node`; undefined where it is this node. Throws NOT_FOUND for a stranger. */
export function askedMember({
  path,
  query,
  node,
}: HttpRequest): { readonly id: string; readonly address: string } | undefined {
  if (!ASKED_THROUGH.includes(path) || !query.has('node')) return undefined;
  const [id = '', ...more] = query.getAll('node');
  if (more.length > 0) throw badRequest('expected the parameter node once');
  const { id: own } = node.status() as { readonly id?: string };
  if (id === own) return undefined;
  const peer = Object.hasOwn(node.state.peers, id) ? node.state.peers[id] : undefined;
  if (peer !== undefined) return { id, address: peer.address };
  const ids = [own, ...Object.keys(node.state.peers)].sort().join(', ');
  throw new QuorateError('QUORATE_NOT_FOUND', `there is no member "${id}": the members are ${ids}`);
}

/**
 * Asks a member for what stands at the request's path under the same prefix, and passes its answer on as it comes, for as long as both stay.
 * Rejects with NO_ANSWER where it does not answer, and with OVERLOADED where too many are asked for already.
 */
export async function answerOfMember(
  { id, address }: { readonly id: string; readonly address: string },
  request: HttpRequest,
  prefix: string,
): Promise<void> {
  const { method, path, response, exchange } = request;
  if (underWay >= MOST_AT_A_TIME)
    throw new QuorateError(
      'QUORATE_OVERLOADED',
      `${MOST_AT_A_TIME} requests already ask other members through this node`,
      { details: { retryAfterMs: 1_000 } },
    );
  exchange.isEndless = path === '/v1/events';
  underWay += 1;
  try {
    const answer = await firstOf(address, { method, path: `${prefix}${path}`, signal: exchange.signal });
    const headers = PASSED_ON.flatMap((name) => {
      const value = answer.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    await pipeline(answer, response);
  } catch (error) {
    if (response.headersSent) return void response.destroy();
    const { message } = error as Error;
    throw new QuorateError('QUORATE_NO_ANSWER', `${id} does not answer this node at ${address}: ${message}`, {
      cause: error,
    });
  } finally {
    underWay -= 1;
  }
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** The head of an answer; its body is destroyed where nothing of it comes for long. */
function firstOf(address: string, { method, path, signal }: Asked): Promise<IncomingMessage> {
  const { hostname, port } = new URL(`http://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const where = { host, port: port || 80, agent: false as const, lookup: processNames.lookup };
  return new Promise((resolve, reject) => {
    const asked = open({ ...where, method, path, signal, headers: { Host: address } }, resolve);
    asked.setTimeout(SILENT_MS, () => asked.destroy(new Error(`nothing came for ${SILENT_MS} ms`)));
    asked.on('error', reject);
    asked.end();
  });
}
