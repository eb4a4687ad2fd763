import type { IncomingMessage, ServerResponse } from 'node:http';
import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { unknownOption } from '../errors/unknown-option.js';
import type { RequestHandler } from './request-handler.js';
import { createRequestHandler } from './request-handler.js';
import { isPrefix } from './request-target.js';
import type { ServedNode } from './served-node.js';

export interface RequestHandlerOptions {
  /** The routes' paths follow it: `/quorate` gives `/quorate/v1/status`. Not needed where the framework takes it off. */
  readonly prefix?: string;
  /** Whether the dashboard (`/`) and the inspector are among them. Default: where there is a prefix. */
  readonly pages?: boolean;
  /**
   * Whether a browser's page that changes something must be on the node's own machine, and send the header `X-Quorate-Page: 1`, as on a node's own
   * server. Default: true; with false it is yours to see to it who may.
   */
  readonly checksActs?: boolean;
}

/**
 * A node's HTTP routes (`/v1/status`, `/health/…`, and those of its service, as `/v1/kv`) for a server of yours: as the listener of a `node:http` server,
 * called from one, or as middleware of Express and its kind. A path that is none of the node's goes to `next`; where there
 * is none, it is answered with 404. Mount it before body parsers.
 */
export function requestHandler(
  node: ServedNode,
  options: RequestHandlerOptions = {},
): (request: IncomingMessage, response: ServerResponse, next?: () => void) => void {
  checkGiven(node, options, ['prefix', 'pages', 'checksActs']);
  const { prefix = '', pages, checksActs = true } = options;
  const handler = createRequestHandler(node, {
    prefix: checkedPrefix(prefix),
    checksActs,
    ...(pages === undefined ? {} : { pages }),
  });
  return (request, response, next) => {
    if (next === undefined || handler.serves(request)) handler.answer(request, response);
    else next();
  };
}

/** The parts of a Fastify instance that are used here. */
export interface FastifyScope {
  readonly prefix: string;
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(
    type: string,
    parser: (request: never, payload: never, done: (error: Error | null) => void) => void,
  ): unknown;
  all(path: string, handler: (request: FastifyRequest, reply: FastifyReply) => void): unknown;
}

export interface FastifyRequest {
  readonly raw: IncomingMessage;
}

export interface FastifyReply {
  readonly raw: ServerResponse;
  hijack(): unknown;
}

/**
 * The same routes as a Fastify plugin: `app.register(fastifyRoutes(node), { prefix: '/quorate' })`. Hooks of yours that
 * run before handlers (authentication) apply; bodies are read by the node itself.
 */
export function fastifyRoutes(
  node: ServedNode,
  options: Pick<RequestHandlerOptions, 'checksActs'> = {},
): (scope: FastifyScope, options: object, done: () => void) => void {
  if (Object.hasOwn(Object(options), 'prefix'))
    throw invalid(`expected no option but checksActs, got prefix: ${OF_FASTIFY}`);
  checkGiven(node, options, ['checksActs']);
  const { checksActs = true } = options;
  return (scope, _options, done) => {
    const { answer }: RequestHandler = createRequestHandler(node, { prefix: scope.prefix, checksActs });
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    scope.all('/*', (request, reply) => {
      reply.hijack();
      answer(request.raw, reply.raw);
    });
    done();
  };
}

const OF_FASTIFY =
  "Fastify's register takes the prefix, as in app.register(fastifyRoutes(node), { prefix: '/quorate' })";

/** For callers without types: what nobody knows would silently not count, and `checksActs` decides who may write. */
function checkGiven(node: ServedNode, options: RequestHandlerOptions, names: readonly string[]): void {
  if (typeof Object(node).whyNotReady !== 'function') {
    const isPromise = typeof Object(node).then === 'function';
    throw invalid(
      `expected a node, as ReplicaNode.open gives it, got ${isPromise ? 'a promise: await it' : shown(node)}`,
    );
  }
  if (typeof options !== 'object' || options === null)
    throw invalid(`expected the options to be an object, got ${shown(options)}`);
  const problem = unknownOption(options, names);
  if (problem !== undefined) throw invalid(problem);
  for (const name of ['pages', 'checksActs'] as const) {
    if (options[name] !== undefined && typeof options[name] !== 'boolean')
      throw invalid(`expected ${name} to be true or false, got ${shown(options[name])}`);
  }
}

function checkedPrefix(prefix: string): string {
  if (isPrefix(prefix)) return prefix;
  throw invalid(`expected prefix to be a path such as "/quorate", got ${shown(prefix)}`);
}

function invalid(problem: string): QuorateError {
  return new QuorateError('QUORATE_CONFIG_INVALID', problem);
}
