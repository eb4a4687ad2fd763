import { WebSocket } from 'ws';
import type { HostNames } from '../dns/host-names.js';
import { processNames } from '../dns/process-names.js';
import { MOST_REFUSAL_CHARACTERS, refusalIn } from '../wire/refusal.js';
import type { ClientSocket, Platform } from './platform.js';

const clock = {
  now: (): number => performance.now(),
  setTimeout: (callback: () => void, delayMs: number): unknown => setTimeout(callback, delayMs),
  clearTimeout: (handle: unknown): void => clearTimeout(handle as NodeJS.Timeout),
};

/** Node.js, with `names` for what its name servers say. */
export function nodePlatform(names: HostNames = processNames): Platform {
  return {
    ...clock,
    openSocket: (url, protocols) => {
      // A mask protects browsers' proxies, and costs a pass over every byte: left zero, both sides skip it.
      const settings = { perMessageDeflate: false, generateMask: () => undefined, followRedirects: false };
      const socket = new WebSocket(url, [...protocols], { ...settings, lookup: names.lookup });
      passOnRefusals(socket);
      countBytes(socket);
      return socket as unknown as ClientSocket;
    },
    resolve: (name, events) => names.resolve(name, events),
    random: () => Math.random(),
    defer: (callback) => void setImmediate(callback),
  };
}

/** A large answer on a slow line is one message, of which nothing shows before its end. */
function countBytes(socket: WebSocket): void {
  let raw: { readonly bytesRead: number } | undefined;
  socket.once('upgrade', (response) => {
    raw = response.socket;
  });
  Object.defineProperty(socket, 'bytesRead', { get: () => raw?.bytesRead ?? 0 });
}

/** A node says in words why it lets a client not in: without this, only the number of its answer is heard. */
function passOnRefusals(socket: WebSocket): void {
  socket.on('unexpected-response', (request, response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => {
      text = `${text}${chunk.toString()}`.slice(0, MOST_REFUSAL_CHARACTERS);
    });
    response.once('close', () => {
      const said = refusalIn(response.headers['content-type'], text);
      const why = said === '' ? 'is that a Quorate node of this version?' : said;
      socket.emit('error', new Error(`it answered HTTP ${response.statusCode}: ${why}`));
      request.destroy();
      socket.terminate();
    });
  });
}
