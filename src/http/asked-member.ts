import type { IncomingMessage } from 'node:http';
import { request as open } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { processNames } from '../dns/process-names.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { EVENTS_PATH } from '../wire/connections.js';
import type { HttpRequest } from './exchange.js';
import type { ServedNode } from './served-node.js';

/** These paths may be asked of another member through this node, for callers that do not reach that member's own address. */
const ASKED_THROUGH = [EVENTS_PATH, '/v1/status', '/health/ready', '/health/live', '/metrics'];
/** So many at a time: each takes a connection to another node. */
const MOST_AT_A_TIME = 64;
/** A node that lives says something at least once a second. */
const SILENT_MS = 3_000;
const PASSED_ON = ['content-type', 'content-length', 'cache-control', 'x-content-type-options', 'x-accel-buffering'];

let underWay = 0;

/** Another member, and where it listens. */
export interface AskedMember {
  readonly id: string;
  readonly address: string;
}

/** The member that a request asks about, at a path that takes the parameter `node`; undefined where it is this node. Throws NOT_FOUND for a stranger. */
export function askedMember({
  path,
  query,
  node,
}: Pick<HttpRequest, 'path' | 'query' | 'node'>): AskedMember | undefined {
  return ASKED_THROUGH.includes(path) ? memberIn(query, node) : undefined;
}

/** The member that a query's parameter `node` names; undefined where it names none, or this node. Throws NOT_FOUND for a stranger. */
export function memberIn(query: URLSearchParams, node: Pick<ServedNode, 'status' | 'state'>): AskedMember | undefined {
  if (!query.has('node')) return undefined;
  const [id = '', ...more] = query.getAll('node');
  if (more.length > 0) throw badRequest('expected the parameter node once');
  const own = ownIdOf(node);
  if (id === own) return undefined;
  const peer = Object.hasOwn(node.state.peers, id) ? node.state.peers[id] : undefined;
  if (peer !== undefined) return { id, address: peer.address };
  const ids = [own, ...Object.keys(node.state.peers)].sort().join(', ');
  throw new QuorateError('QUORATE_NOT_FOUND', `there is no member "${id}": the members are ${ids}`);
}

const ownIdOf = (node: Pick<ServedNode, 'status'>): string => (node.status() as { readonly id?: string }).id ?? '';

/**
 * Asks a member for what stands at the request's path under the same prefix, and passes its answer on as it comes, for as long as both stay.
 * Rejects with NO_ANSWER where it does not answer, and with OVERLOADED where too many are asked for already.
 */
export async function answerOfMember(member: AskedMember, request: HttpRequest, prefix: string): Promise<void> {
  const { method, path, response, exchange } = request;
  exchange.isEndless = path === EVENTS_PATH;
  await askMember(member, { method, path: `${prefix}${path}`, signal: exchange.signal }, async (answer) => {
    const headers = PASSED_ON.flatMap((name) => {
      const value = answer.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    response.writeHead(answer.statusCode ?? 502, Object.fromEntries(headers));
    // Whether its end or its caller's: a half of an answer is worth nothing.
    await pipeline(answer, response).catch(() => response.destroy());
  });
}

export interface Question {
  readonly method: string;
  readonly path: string;
  readonly signal: AbortSignal;
}

/** Asks a member, and gives its answer to `take` as soon as its head is there. Rejects as `answerOfMember` does, and as `take` does. */
export async function askMember(
  { id, address }: AskedMember,
  question: Question,
  take: (answer: IncomingMessage) => Promise<void>,
): Promise<void> {
  if (underWay >= MOST_AT_A_TIME) {
    const why = `${MOST_AT_A_TIME} requests already ask other members through this node`;
    throw new QuorateError('QUORATE_OVERLOADED', why, { details: { retryAfterMs: 1_000 } });
  }
  underWay += 1;
  try {
    const answer = await answerTo(address, question).catch((error: Error) => {
      const why = `${id} does not answer this node at ${address}: ${error.message}`;
      throw new QuorateError('QUORATE_NO_ANSWER', why, { cause: error });
    });
    await take(answer);
  } finally {
    underWay -= 1;
  }
}

/** Resolves with the head of an answer; its body ends where nothing of it comes for long. */
function answerTo(address: string, { method, path, signal }: Question): Promise<IncomingMessage> {
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
