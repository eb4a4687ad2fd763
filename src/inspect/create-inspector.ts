import type { IncomingMessage, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { unknownOption } from '../errors/unknown-option.js';
import { isFromHere } from '../http/callers.js';
import { targetOf } from '../http/request-target.js';
import { interceptEvent } from '../http/upgrade-router.js';
import type { Clock } from '../seams/clock.js';
import { INSPECTION_PATH } from '../wire/connections.js';
import { dialInspector } from './dial-inspector.js';
import { InspectionHub } from './hub.js';
import { idleClock } from './idle-clock.js';
import { InspectedRoots } from './inspected-roots.js';
import { answerPage, checkViewer, isPage } from './inspector-page.js';
import { openProgramEndpoint } from './program-endpoint.js';
import { openStreamEndpoint } from './stream-endpoint.js';

export interface CreateInspectorOptions {
  /** On loopback; 0 takes any free one. Default 8080. */
  readonly port?: number;
  /** An http.Server of yours, listening, in place of a port: the page is at its `/inspector`, all other paths are yours. */
  readonly server?: Server;
  /** A running inspector in place of either, as `quorate inspector` prints it: `ws://127.0.0.1:8080`. */
  readonly url?: string;
  /** The program's name in the page. Default: the root actor's id. */
  readonly name?: string;
}

export interface Inspector {
  /** For `createActor(machine, { inspect })`. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Shows the system of an actor that runs already. Returns how to show it no more. */
  attach(actor: AnyActorRef): () => void;
  /** Where the page is. */
  readonly url: string;
  /** Closes the page's connections, and the port if it is the inspector's own. The actors go on. */
  close(): Promise<void>;
}

export const DEFAULT_INSPECTOR_PORT = 8080;
/** Where programs connect, beside `/`, which is `@statelyai/inspect`'s own path. */
export const PROGRAM_PATH = '/inspector/program';

/**
 * Shows XState 5 actors of this process, and of every program that connects, in a page of its own, without any other network.
 * Nothing is watched while nobody looks. Rejects with CONFIG_INVALID where the port is taken or the options cannot work.
 */
export async function createInspector(options: CreateInspectorOptions, systemClock: Clock): Promise<Inspector> {
  checkOptions(options);
  const clock = idleClock(systemClock);
  const hub = new InspectionHub(clock);
  const served = await serve(options, hub, clock);
  const roots = new InspectedRoots({ hub, clock, pid: process.pid, ...named(options) });
  return {
    inspect: (event) => roots.note(event),
    attach: (actor) => {
      if (typeof Object(actor).getSnapshot === 'function') return roots.attach(actor);
      throw invalid(`expected an actor, as createActor gives it, got ${shown(actor)}`);
    },
    url: served.url,
    close: async () => {
      roots.clear();
      await served.close();
    },
  };
}

/** By name: what it is, and how an error says so. */
const KINDS: Readonly<Record<keyof CreateInspectorOptions, readonly [(value: unknown) => boolean, string]>> = {
  port: [
    (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535,
    'a whole number from 0 to 65535',
  ],
  server: [(value) => typeof Object(value).on === 'function', 'an http.Server'],
  url: [(value) => typeof value === 'string', 'like ws://127.0.0.1:8080'],
  name: [(value) => typeof value === 'string', 'text'],
};

/** For callers without types: a misspelled option would silently have its default. */
function checkOptions(options: CreateInspectorOptions): void {
  if (typeof options !== 'object' || options === null)
    throw invalid(`expected the options to be an object, got ${shown(options)}`);
  const problem = unknownOption(options, Object.keys(KINDS));
  if (problem !== undefined) throw invalid(problem);
  for (const [name, [is, expected]] of Object.entries(KINDS)) {
    const value = options[name as keyof CreateInspectorOptions];
    if (value !== undefined && !is(value)) throw invalid(`expected ${name} to be ${expected}, got ${shown(value)}`);
  }
}

const named = ({ name }: CreateInspectorOptions): { readonly name?: string } => (name === undefined ? {} : { name });

interface Served {
  readonly url: string;
  close(): Promise<void>;
}

async function serve(options: CreateInspectorOptions, hub: InspectionHub, clock: Clock): Promise<Served> {
  const { port = DEFAULT_INSPECTOR_PORT, server, url } = options;
  const given = [options.port, server, url].filter((one) => one !== undefined);
  if (given.length > 1) throw invalid('expected one of port, server and url, got more than one');
  if (url !== undefined) return dialInspector(url, hub, clock);
  if (server !== undefined) return serveOn(server, hub, clock);
  const own = await listen(port);
  const closeEndpoints = openEndpoints(own, ['/', PROGRAM_PATH], hub, clock);
  own.on('request', answerPage);
  return {
    url: `http://127.0.0.1:${(own.address() as AddressInfo).port}`,
    close: async () => {
      await closeEndpoints();
      own.closeAllConnections();
      await new Promise<void>((resolve) => own.close(() => resolve()));
    },
  };
}

function serveOn(server: Server, hub: InspectionHub, clock: Clock): Served {
  const closeEndpoints = openEndpoints(server, [PROGRAM_PATH], hub, clock);
  const stop = interceptEvent(server, 'request', (request, response) => {
    const isOurs = isPage(targetOf(request).path, false);
    if (isOurs) answerPage(request, response);
    return isOurs;
  });
  const at = server.address() as AddressInfo | null;
  return {
    url: `http://127.0.0.1:${at?.port ?? ''}/inspector`,
    close: async () => {
      stop();
      await closeEndpoints();
    },
  };
}

function openEndpoints(
  server: Server,
  paths: readonly string[],
  hub: InspectionHub,
  clock: Clock,
): () => Promise<void> {
  const objection = (request: IncomingMessage): string | undefined =>
    isFromHere(request) ? undefined : 'only the machine itself may look at what runs on it, and no proxy';
  const closeStream = openStreamEndpoint({
    server,
    path: INSPECTION_PATH,
    hub,
    clock,
    checkCaller: checkViewer,
    objection,
  });
  const closePrograms = openProgramEndpoint({ server, paths, hub, clock });
  return async () => {
    closePrograms();
    await closeStream();
  };
}

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        invalid(
          error.code === 'EADDRINUSE'
            ? `port ${port} is taken: by an inspector that runs already, or by another program. Give another port`
            : `cannot listen on port ${port} (${error.message})`,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

function invalid(message: string): QuorateError {
  return new QuorateError('QUORATE_CONFIG_INVALID', message);
}
