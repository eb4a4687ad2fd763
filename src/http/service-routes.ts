import type { Consistency } from '../calls/call-options.js';
import { checkConsistency, DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS, parseWholeNumber } from '../calls/call-options.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { AnyService, Route, RouteAnswer, RouteRequest } from '../seams/service.js';
import { CLIENT_PATH, PEER_PATH } from '../wire/connections.js';
import { readBody } from './body.js';
import type { HttpRequest } from './exchange.js';
import { FOR_NOW_ONLY, sendJson } from './replies.js';
import type { CallLimits } from './served-node.js';

/** The log index that the answer to a read reflects: all entries up to it are applied. */
const INDEX_HEADER = 'X-Quorate-Index';

/** Has a service's route answer a request. */
export async function answerByRoute(request: HttpRequest, route: AnyRoute, found: FoundPath): Promise<void> {
  send(request, await route(routeRequest(request, found.params())));
}

/** The request as a route is given it, within the limits that its caller has set. */
function routeRequest(
  request: HttpRequest,
  params: Readonly<Record<string, string>>,
): RouteRequest<unknown, unknown, unknown, Readonly<Record<string, string>>> {
  const { method, query, exchange, message, node, response } = request;
  const limits = limitsOf(request);
  return {
    method,
    params,
    query,
    headers: message.headers as Readonly<Record<string, string | undefined>>,
    allowQuery: (...names) => allowQuery(request, names),
    body: () => readBody(request),
    propose: (command) => node.propose(command, limits),
    read: async (ask) => {
      await node.read(() => undefined, { ...limits, consistency: consistencyOf(query.get('consistency')) });
      // The read index holds for later reads too, so the answer is made only when it can be sent.
      await exchange.room();
      response.setHeader(INDEX_HEADER, node.state.lastApplied);
      return ask(node.stateMachine as never);
    },
  };
}

/** Until when the caller waits, and whether it still does. */
export function limitsOf({ query, exchange }: HttpRequest, defaultMs = DEFAULT_TIMEOUT_MS): CallLimits {
  return { timeoutMs: timeoutIn(query.get('timeout'), defaultMs), signal: exchange.signal };
}

/** A misspelled name must not pass for none: `?prefx=a` would list everything. */
export function allowQuery({ query }: HttpRequest, names: readonly string[]): void {
  const given = [...query.keys()];
  const twice = given.find((name, at) => given.indexOf(name) !== at);
  if (twice !== undefined) throw badRequest(`expected ?${twice}= once, got it more than once: leave one`);
  const unknown = given.find((name) => !names.includes(name));
  if (unknown !== undefined) throw badRequest(`expected no parameter but ${names.join(', ')}, got ?${unknown}=`);
}

function timeoutIn(text: string | null, defaultMs: number): number {
  if (text === null) return defaultMs;
  const value = parseWholeNumber(text, { least: 1, most: MOST_TIMEOUT_MS });
  if (value !== undefined) return value;
  throw badRequest(`expected ?timeout= to be a whole number from 1 to ${MOST_TIMEOUT_MS}, got "${text}"`);
}

function send({ response }: HttpRequest, { status = 200, headers = {}, json, bytes }: RouteAnswer): void {
  if (json !== undefined) return sendJson(response, status, json, headers);
  const described = { 'Content-Type': 'application/octet-stream', 'Content-Length': bytes?.byteLength };
  response.writeHead(status, { ...(bytes === undefined ? {} : described), ...FOR_NOW_ONLY, ...headers });
  response.end(bytes);
}

const consistencyOf = (text: string | null): Consistency =>
  checkConsistency((text ?? undefined) as Consistency | undefined, '?consistency=');

// biome-ignore lint/suspicious/noExplicitAny: routes of services whose types nobody here knows
type AnyRoute = Route<any, any, any, any>;

/** Where requests of a path go. */
interface FoundPath {
  /** By method. */
  readonly routes: ReadonlyMap<string, AnyRoute>;
  /** The values of the path's named parameters. Throws BAD_REQUEST where one is not percent-encoded UTF-8. */
  params(): Readonly<Record<string, string>>;
}

/** Paths of nodes themselves, of this version and of later ones. */
const TAKEN = [
  ...['/', '/metrics', '/inspector', '/playground', '/health/live', '/health/ready', PEER_PATH, CLIENT_PATH],
  ...['status', 'members', 'transfer', 'snapshot', 'events'].map((name) => `/v1/${name}`),
];

interface PathPattern {
  readonly names: readonly string[];
  readonly expression: RegExp;
  readonly routes: Map<string, AnyRoute>;
}

/** The HTTP routes of a service. Of several that fit a path the one that is defined first counts. */
export class ServiceRoutes {
  readonly #patterns: readonly PathPattern[];

  /** Throws CONFIG_INVALID for a route that would take a path of the node itself. */
  constructor(service: AnyService | undefined) {
    const patterns = new Map<string, PathPattern>();
    for (const [name, route] of Object.entries(service?.routes ?? {})) {
      const [method = '', path = ''] = name.split(' ');
      const pattern = patterns.get(path) ?? compile(path);
      pattern.routes.set(method, route);
      patterns.set(path, pattern);
    }
    this.#patterns = [...patterns.values()];
    const taken = TAKEN.find((path) => this.at(path) !== undefined);
    if (taken !== undefined)
      throw new QuorateError(
        'QUORATE_CONFIG_INVALID',
        `expected the routes of the service "${service?.name}" to leave ${taken} to the node: give them paths such as /v1/${service?.name}`,
      );
  }

  /** `path` is still percent-encoded. Undefined where no route has it. */
  at(path: string): FoundPath | undefined {
    for (const { names, expression, routes } of this.#patterns) {
      const match = expression.exec(path);
      if (match !== null)
        return {
          routes,
          params: () => Object.fromEntries(names.map((name, at) => [name, decoded(name, match[at + 1] ?? '')])),
        };
    }
    return undefined;
  }
}

function compile(path: string): PathPattern {
  const names: string[] = [];
  const expression = path.replace(/\{(\w+)(\.\.\.)?\}|[^\w/]/g, (found, name?: string, isRest?: string) => {
    if (name === undefined) return `\\${found}`;
    names.push(name);
    return isRest === undefined ? '([^/]+)' : '(.*)';
  });
  return { names, expression: new RegExp(`^${expression}$`), routes: new Map() };
}

function decoded(name: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest(
      `expected the ${name} in the path to be percent-encoded UTF-8, got ${shown(text)}: encode it as encodeURIComponent does`,
    );
  }
}
