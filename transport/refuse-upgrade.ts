import type { Duplex } from 'node:stream';

/** Ends a connection that asked to become a WebSocket with a plain answer: `status` as in `403 Forbidden`, `why` a sentence. */
export function refuseUpgrade(socket: Duplex, status: string, why = ''): void {
  const body = why === '' ? '' : `${why}\n`;
  const length = new TextEncoder().encode(body).byteLength;
  const head = ['Content-Type: text/plain', `Content-Length: ${length}`, 'Connection: close'];
  socket.on('error', () => undefined);
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
}
