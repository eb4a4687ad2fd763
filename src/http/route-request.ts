import { badRequest } from '../errors/quorate-error.js';
import type { RouteAnswer, RouteRequest } from '../seams/service.js';
import { readBody } from './body.js';
import { FOR_NOW_ONLY, notInThisVersion, sendJson } from './replies.js';
import type { HttpRequest } from './request.js';
import { allowQuery, limitsOf } from './request.js';
import type { AnyRoute, FoundPath } from './routes.js';

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
