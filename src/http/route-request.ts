import { DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS, parseWholeNumber } from '../calls/call-options.js';
import { badRequest } from '../errors/quorate-error.js';
import type { RouteAnswer, RouteRequest } from '../seams/service.js';
import { readBody } from './body.js';
import { FOR_NOW_ONLY, notInThisVersion, sendJson } from './replies.js';
import type { HttpRequest } from './request.js';
import type { AnyRoute, FoundPath } from './routes.js';
import type { CallLimits } from './served-node.js';

/** Has a service's route answer a request. */
export async function answerByRoute(request: HttpRequest, route: AnyRoute, found: FoundPath): Promise<void> {
  send(request, await route(routeRequest(request, found.params())));
}

/** What a route is given of a request, within the limits that its caller has set. */
function routeRequest(
  request: HttpRequest,
  params: Readonly<Record<string, string>>,
): RouteRequest<unknown, unknown, unknown, Readonly<Record<string, string>>> {
  const { method, query, exchange, message, node } = request;
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
      // What the state machine says later is as new, and no answer is made before it can be sent.
      await exchange.room();
      return ask(node.stateMachine as never);
    },
  };
}

/** Until when the caller waits, and whether it still does. */
function limitsOf({ query, exchange }: HttpRequest): CallLimits {
  return { timeoutMs: timeoutIn(query.get('timeout')), signal: exchange.signal };
}

/** A misspelled name must not pass for none: `?prefx=a` would list everything. */
function allowQuery({ query }: HttpRequest, names: readonly string[]): void {
  const given = [...query.keys()];
  const twice = given.find((name, at) => given.indexOf(name) !== at);
  if (twice !== undefined) throw badRequest(`?${twice}= is there more than once`);
  const unknown = given.find((name) => !names.includes(name));
  if (unknown !== undefined) throw badRequest(`expected no parameter but ${names.join(', ')}, got ?${unknown}=`);
}

function timeoutIn(text: string | null): number {
  if (text === null) return DEFAULT_TIMEOUT_MS;
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

function consistencyOf(text: string | null): 'linearizable' | 'stale' {
  if (text === null || text === 'linearizable') return 'linearizable';
  if (text === 'stale') return 'stale';
  if (text === 'lease') throw notInThisVersion('reading by lease');
  throw badRequest(`expected ?consistency= to be "linearizable" or "stale", got "${text}"`);
}
