import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, QuorateError } from '../seams/errors.js';
import { KeyValueStore } from '../state-machines/key-value-store.js';
import { checkCaller } from './guard.js';
import { deleteKey, getKey, listKeys, putKey } from './key-value-endpoints.js';
import { notInThisVersion, sendError, sendJson } from './replies.js';
import type { Request } from './request.js';
import type { ServedNode } from './served-node.js';

export interface RequestHandlerOptions {
  readonly maxValueBytes: number;
}

type Endpoint = (request: Request) => Promise<void> | void;
type Endpoints = Readonly<Record<string, Endpoint>>;

const KEY_PREFIX = '/v1/kv/';
/** Answered plainly, so that a script can tell what is missing from what is misspelled. */
const LATER = ['/v1/members', '/v1/transfer', '/v1/snapshot', '/metrics', '/playground', '/'];

/** Answers people and scripts: status, health, and the key-value store where that is what the node replicates. */
export function createRequestHandler(
  node: ServedNode,
  { maxValueBytes }: RequestHandlerOptions,
): (message: IncomingMessage, response: ServerResponse) => void {
  return (message, response) => {
    const [path = '/', search = ''] = splitOnce(message.url ?? '/', '?');
    const query = new URLSearchParams(search);
    const request: Request = { method: message.method ?? 'GET', path, query, message, response, node, maxValueBytes };
    answer(request, search).catch((error: unknown) => sendError(response, error));
  };
}

async function answer(request: Request, search: string): Promise<void> {
  checkCaller(request.message, request.node);
  mustBeText(search);
  const endpoints = endpointsAt(request);
  const endpoint = endpoints[request.method] ?? (request.method === 'HEAD' ? endpoints.GET : undefined);
  if (endpoint !== undefined) return await endpoint(request);
  const allowed = Object.keys(endpoints).join(', ');
  const error = badRequest(`${request.method} is not possible here; ${allowed} would be`);
  const document = { error: { code: 'BAD_REQUEST', message: error.message } };
  sendJson(request.response, 405, document, { Allow: allowed });
}

function endpointsAt({ path, node }: Request): Endpoints {
  switch (path) {
    case '/v1/status':
      return { GET: ({ response }) => sendJson(response, 200, node.status()) };
    case '/health/live':
      return { GET: live };
    case '/health/ready':
      return { GET: ready };
    default:
      break;
  }
  if (LATER.includes(path)) throw notInThisVersion(path);
  const isKeyValue = path === '/v1/kv' || path.startsWith(KEY_PREFIX);
  if (!isKeyValue) throw new QuorateError('QUORATE_NOT_FOUND', `there is nothing at ${path}`);
  if (!(node.stateMachine instanceof KeyValueStore)) {
    throw new QuorateError(
      'QUORATE_NOT_FOUND',
      'this node replicates a state machine of its own, not a key-value store',
    );
  }
  if (path === '/v1/kv') return { GET: listKeys };
  const key = path.slice(KEY_PREFIX.length);
  return {
    GET: (request) => getKey(request, key),
    PUT: (request) => putKey(request, key),
    DELETE: (request) => deleteKey(request, key),
  };
}

function live({ node, response }: Request): void {
  if (node.state.role === 'halted')
    throw node.whyNotReady() ?? new QuorateError('QUORATE_HALTED', 'this node has halted');
  sendJson(response, 200, { live: true });
}

function ready({ node, response }: Request): void {
  const why = node.whyNotReady();
  if (why === undefined) return sendJson(response, 200, { ready: true });
  throw why;
}

/** URLSearchParams takes broken encoding for U+FFFD: another prefix than the caller's would be listed. */
function mustBeText(search: string): void {
  try {
    decodeURIComponent(search);
  } catch {
    throw badRequest('the query is not percent-encoded UTF-8');
  }
}

function splitOnce(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
