import { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import type { RawData, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { AnyActorRef, AnyEventObject } from 'xstate';
import { isHostOf } from '../http/request-target.js';
import type { Clock } from '../seams/clock.js';
import { SystemWatch } from './system-watch.js';
import type { V4Service } from './v4-service.js';

export interface InspectorOptions {
  readonly clock: Clock;
  /** On loopback; 0 takes any free one. */
  readonly port: number;
  /** Whether an event comes all the time, and is not shown. */
  readonly isQuiet: (event: AnyEventObject) => boolean;
}

export interface Inspector {
  readonly port: number;
  /** Shows this actor's system from now on. */
  show(actor: AnyActorRef): void;
  close(): Promise<void>;
}

interface XStateInspect {
  inspect(options: { server: unknown }): unknown;
}

interface DevTools {
  register(service: V4Service): void;
}

const MOST_MESSAGE_BYTES = 64 * 1024;
const BROKEN = 1011;
const FORBIDDEN = 403;
const WHO_MAY_LOOK = 'viewers connect to localhost or an IP address, and pages must come from there';

/**
 * Shows a running actor system to viewers of `@xstate/inspect`, on loopback and for looking only: what viewers send into
 * services is dropped. It costs something only while somebody looks. It listens before there is an actor: a port that is taken is known
 * before a node has begun.
 */
export async function openInspector({ clock, port, isQuiet }: InspectorOptions): Promise<Inspector> {
  const sockets = new WebSocketServer({
    host: '127.0.0.1',
    port,
    maxPayload: MOST_MESSAGE_BYTES,
    perMessageDeflate: false,
    verifyClient: ({ origin, req }, decide) => decide(mayLook(origin, req.headers.host), FORBIDDEN, WHO_MAY_LOOK),
  });
  await new Promise<void>((resolve, reject) => {
    sockets.once('listening', resolve);
    sockets.once('error', reject);
  });
  const view = new SafeView();
  const devTools = startServer(view);
  let actor: AnyActorRef | undefined;
  let watch: SystemWatch | undefined;
  const failed = (error: unknown): void => {
    watch = undefined;
    for (const socket of sockets.clients) socket.close(BROKEN, `the inspector failed: ${String(error)}`.slice(0, 120));
  };
  const look = (): void => {
    if (actor === undefined || view.clients.size === 0) return;
    watch ??= new SystemWatch({ actor, clock, isQuiet, register: (service) => devTools.register(service), failed });
  };
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      view.clients.delete(socket);
      if (view.clients.size > 0) return;
      watch?.stop();
      watch = undefined;
    });
    view.admit(socket, look);
  });
  return {
    port: (sockets.address() as AddressInfo).port,
    show: (root) => {
      actor = root;
      look();
    },
    close: async () => {
      watch?.stop();
      watch = undefined;
      view.emit('close');
      for (const socket of sockets.clients) socket.terminate();
      await new Promise<void>((resolve) => sockets.close(() => resolve()));
    },
  };
}

/** The rule of the main port: no page from elsewhere may look, nor any through a name that was made to point here. */
function mayLook(origin: string | undefined, host: string | undefined): boolean {
  if (!isHostOf(host, [])) return false;
  return origin === undefined || origin === `http://${host}`;
}

/**
 * Stands for the socket server before `@xstate/inspect`'s server, which trusts its viewers: a frame that is no JSON would
 * throw out of the process, and any event would go into our services.
 */
class SafeView extends EventEmitter {
  readonly clients = new Set<WebSocket>();

  admit(socket: WebSocket, looksAt: () => void): void {
    const client = new EventEmitter();
    this.emit('connection', client);
    socket.on('message', (data, isBinary) => {
      if (isBinary || !asksToInspect(data)) return;
      this.clients.add(socket);
      looksAt();
      client.emit('message', data, false);
    });
  }
}

function asksToInspect(data: RawData): boolean {
  try {
    return (JSON.parse(data.toString()) as { type?: unknown } | null)?.type === 'xstate.inspecting';
  } catch {
    return false;
  }
}

/** A copy of the vendored server for each inspector: it keeps its services in its module, for all servers together. */
function startServer(view: SafeView): DevTools {
  const require = createRequire(import.meta.url);
  const freshCopy = require(vendored()) as () => XStateInspect;
  freshCopy().inspect({ server: view });
  return (globalThis as unknown as { __xstate__: DevTools }).__xstate__;
}

/** Beside `src` in the sources, beside `dist` in the package. */
function vendored(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'vendor', 'xstate-inspect.cjs'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error('vendor/xstate-inspect.cjs is missing from this installation');
    folder = parent;
  }
  return path.join(folder, 'vendor', 'xstate-inspect.cjs');
}
