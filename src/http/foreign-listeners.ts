import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { UpgradeHandler } from './upgrade-router.js';

/**
 * Whether an upgrade listener is a WebSocket server that takes every path, or refuses every path but its own: `ws` does
 * either for `new WebSocketServer({ server })`. It is shown a handshake for `path` that lacks its key, on a socket that
 * leads nowhere: such a server answers it with 400, and no connection is made. Other listeners leave it alone or end it.
 */
export function claimsAllPaths(listener: UpgradeHandler, path: string): boolean {
  const request = new IncomingMessage(new Socket());
  request.method = 'GET';
  request.url = path;
  request.headers = { host: 'localhost', connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
  const socket = new SocketToNowhere();
  try {
    listener(request, socket, Buffer.alloc(0));
  } catch {
    // It expected a real socket, which tells nothing about the paths that it takes.
  }
  const isRefused = socket.written.startsWith('HTTP/1.1 400');
  socket.destroy();
  return isRefused;
}

/** Has what listeners call on the sockets of real requests. */
class SocketToNowhere extends Duplex {
  readonly remoteAddress = '127.0.0.1';
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }

  setTimeout(): this {
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}
