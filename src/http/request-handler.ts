import type { IncomingMessage, ServerResponse } from 'node:http';
import { MOST_TIMEOUT_MS } from '../calls/call-options.js';
import { badRequest, notInThisVersion, QuorateError } from '../errors/quorate-error.js';
import { CLIENT_PATH, INSPECTION_PATH, PEER_PATH } from '../wire/connections.js';
import { answerOfMember, askedMember } from './asked-member.js';
import { checkFraming } from './body.js';
import { addressesOf, admitPage, checkAct, checkCaller } from './callers.js';
import { Connection } from './connection.js';
import { streamEvents } from './event-stream.js';
import type { HttpRequest } from './exchange.js';
import { Exchange } from './exchange.js';
import type { Page } from './pages.js';
import { sendAsset, sendPage } from './pages.js';
import { FOR_NOW_ONLY, RefusedRequest, sendError, sendJson } from './replies.js';
import { targetOf } from './request-target.js';
import type { ServedNode } from './served-node.js';
import { allowQuery, answerByRoute, limitsOf, ServiceRoutes } from './service-routes.js';

export interface HandlerContext {
  /** The routes' paths follow it: `/quorate` gives `/quorate/v1/status`. Default: none. */
  readonly prefix?: string;
  /** Whether the server leaves it to the handler to ask for bodies that are offered (`Expect`). Default: false. */
  readonly asksForBodies?: boolean;
  /** Whether the dashboard and the inspector are served too. Default: where there is a prefix, because `/` is the user's otherwise. */
  readonly pages?: boolean;
  /** Whether a page that changes something must be on this machine and say that it means to (`checkAct`). Default: true. */
  readonly checksActs?: boolean;
  /** Why a connection is not served, but for health. Default: all are. */
  readonly refusal?: (message: IncomingMessage) => QuorateError | undefined;
}

/** Answers people and scripts: status, health, and the routes of the node's service. */
export interface RequestHandler {
  /** Whether the node has something at the path that this request asks for. */
  serves(message: IncomingMessage): boolean;
  /** Answers any request, with 404 where the node has nothing. */
  answer(message: IncomingMessage, response: ServerResponse): void;
}

type Endpoint = (request: HttpRequest) => Promise<void> | void;
/** By method. */
type Endpoints = ReadonlyMap<string, Endpoint>;

/** Answered plainly, so that a script can tell what is missing from what is misspelled. */
const LATER = ['/v1/members', '/v1/transfer', '/playground'];
const WEB_SOCKET_PATHS = [PEER_PATH, CLIENT_PATH, INSPECTION_PATH];

export function createRequestHandler(
  node: ServedNode,
  {
    prefix = '',
    asksForBodies = false,
    pages = prefix !== '',
    checksActs = true,
    refusal = () => undefined,
  }: HandlerContext,
): RequestHandler {
  const metrics = pages || prefix !== '';
  const served: Served = { prefix, routes: new ServiceRoutes(node.service), pages, metrics, checksActs };
  return {
    serves(message) {
      const path = withoutPrefix(targetOf(message).path, prefix);
      return path !== undefined && endpointsAt(path, served) !== undefined;
    },
    answer(message, response) {
      const { path, search } = targetOf(message);
      const exchange = new Exchange(message, response);
      // A request that lay here through a pause: if its caller has ended its half by now, it is not carried out (P45).
      if (node.isReadingBacklog) exchange.endsWithCaller = () => node.isReadingBacklog;
      const request: HttpRequest = {
        method: message.method ?? 'GET',
        path: withoutPrefix(path, prefix) ?? path,
        query: new URLSearchParams(search),
        exchange,
        message,
        response,
        node,
        mostBodyBytes: node.service?.mostBodyBytes ?? 0,
        mustAskForBody: asksForBodies,
      };
      const run = (): Promise<void> =>
        answer(request, { served, search, refusal: refusal(message) }).catch((error: unknown) =>
          node.reports.countError(sendError(response, error)),
        );
      Connection.of(message.socket).take(exchange, run);
    },
  };
}

/** Undefined where the path is not under the prefix; empty where it is the prefix itself, without the slash that ends it. */
function withoutPrefix(path: string, prefix: string): string | undefined {
  if (path === prefix) return '';
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}

interface Served {
  /** The routes' paths follow it, on other members as here. */
  readonly prefix: string;
  readonly routes: ServiceRoutes;
  readonly pages: boolean;
  /** Without pages and a prefix `/metrics` is the user's, as `/` is. */
  readonly metrics: boolean;
  readonly checksActs: boolean;
}

interface Circumstances {
  readonly served: Served;
  readonly search: string;
  readonly refusal: QuorateError | undefined;
}

async function answer(request: HttpRequest, { served, search, refusal }: Circumstances): Promise<void> {
  // Probes ask under any name, of this node alone, and are told nothing that is secret.
  const isProbe = request.path.startsWith('/health/') && !request.query.has('node');
  if (refusal !== undefined) request.response.setHeader('Connection', 'close');
  if (refusal !== undefined && !isProbe) throw refusal;
  if (!isProbe) checkCaller(request.message, request.node);
  if (!isProbe && admitPage(request.message, request.response)) return;
  if (served.checksActs) checkAct(request.message);
  mustBeText(search);
  checkFraming(request);
  if (WEB_SOCKET_PATHS.includes(request.path)) mustBeUpgraded(request);
  const endpoints = endpointsAt(request.path, served);
  if (endpoints === undefined) throw nothingAt(request);
  const endpoint = endpoints.get(request.method) ?? (request.method === 'HEAD' ? endpoints.get('GET') : undefined);
  if (endpoint !== undefined) {
    const member = askedMember(request);
    return await (member === undefined ? endpoint(request) : answerOfMember(member, request, served.prefix));
  }
  const allowed = [...endpoints.keys()].join(', ');
  request.response.setHeader('Allow', allowed);
  throw new RefusedRequest(405, `${request.method} is not possible here; ${allowed} would be`);
}

/** RFC 9110, section 15.5.22: the answer names the protocol that is wanted. */
function mustBeUpgraded({ path, response }: HttpRequest): never {
  response.setHeader('Upgrade', 'websocket');
  response.setHeader('Connection', 'Upgrade');
  throw new RefusedRequest(
    426,
    `expected a WebSocket at ${path}, got an ordinary request: use quorate/client, the inspector, or the HTTP routes`,
  );
}

const OWN_ENDPOINTS: Readonly<Record<string, Endpoints>> = {
  '/v1/status': new Map([['GET', ({ node, response }: HttpRequest) => sendJson(response, 200, node.status())]]),
  '/v1/snapshot': new Map([['POST', takeSnapshot]]),
  '/v1/events': new Map([['GET', streamEvents]]),
  '/health/live': new Map([['GET', live]]),
  '/health/ready': new Map([['GET', ready]]),
};

const METRICS: Endpoints = new Map([['GET', sendMetrics]]);

const PAGES: Readonly<Record<string, Endpoints>> = {
  '/': new Map([['GET', page('dashboard')]]),
  '/inspector': new Map([['GET', page('inspector')]]),
  // The prefix itself: the pages' relative addresses want it with a slash.
  '': new Map([['GET', toPrefixWithSlash]]),
};
const ASSETS = '/assets/';
const ASSET: Endpoints = new Map([
  ['GET', ({ path, message, response }) => sendAsset(path.slice(ASSETS.length), message, response)],
]);

function page(name: Page): Endpoint {
  return ({ node, message, response }) =>
    sendPage(name, { servedBy: 'node', others: addressesOf(node) }, message, response);
}

function toPrefixWithSlash({ message, response }: HttpRequest): void {
  response.writeHead(308, { Location: `${targetOf(message).path}/`, 'Content-Length': 0 });
  response.end();
}

/** Undefined where there is nothing at this path. */
function endpointsAt(path: string, { routes, pages, metrics }: Served): Endpoints | undefined {
  const own = Object.hasOwn(OWN_ENDPOINTS, path) ? OWN_ENDPOINTS[path] : undefined;
  if (own !== undefined) return own;
  if (metrics && path === '/metrics') return METRICS;
  if (pages && path.startsWith(ASSETS)) return ASSET;
  if (pages && Object.hasOwn(PAGES, path)) return PAGES[path];
  const found = routes.at(path);
  if (found === undefined) return undefined;
  const endpoints = [...found.routes].map(
    ([method, route]) => [method, (request: HttpRequest) => answerByRoute(request, route, found)] as const,
  );
  return new Map(endpoints);
}

function nothingAt({ path, node }: HttpRequest): QuorateError {
  if (LATER.includes(path)) return notInThisVersion(path);
  const { service } = node;
  const whose = service === undefined ? 'has no service' : `serves "${service.name}"`;
  return new QuorateError('QUORATE_NOT_FOUND', `there is nothing at ${path}: this node ${whose}`);
}

async function sendMetrics({ node, response }: HttpRequest): Promise<void> {
  const { type, text } = await node.reports.metrics();
  const body = Buffer.from(text);
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.byteLength, ...FOR_NOW_ONLY });
  response.end(body);
}

/** A large one takes its time: the caller waits for as long as a request may, unless it says otherwise. */
async function takeSnapshot(request: HttpRequest): Promise<void> {
  const { node, response } = request;
  allowQuery(request, ['timeout']);
  const taken = await node.snapshot(limitsOf(request, MOST_TIMEOUT_MS));
  const { id } = node.status() as { readonly id?: string };
  sendJson(response, 200, { id, ...taken });
}

function live({ node, response }: HttpRequest): void {
  if (node.state.role === 'halted')
    throw node.whyNotReady() ?? new QuorateError('QUORATE_HALTED', 'this node has halted');
  sendJson(response, 200, { live: true });
}

function ready({ node, response }: HttpRequest): void {
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
