import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { AnyService, Route } from '../seams/service.js';
import { CLIENT_PATH, PEER_PATH } from '../wire/connections.js';

// biome-ignore lint/suspicious/noExplicitAny: routes of services whose types nobody here knows
export type AnyRoute = Route<any, any, any, any>;

/** Where requests of a path go. */
export interface FoundPath {
  /** By method. */
  readonly routes: ReadonlyMap<string, AnyRoute>;
  /** What stands in the places that have names. Throws BAD_REQUEST where it is no percent-encoded UTF-8. */
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
    throw badRequest(`the ${name} in the path is not percent-encoded UTF-8`);
  }
}
