import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Connection } from './connection.js';
import { RefusedRequest } from './replies.js';
import { REFUSAL_READ_WITHIN_MS } from './upgrade-router.js';

/** The error of Node's parser; `reason` is a phrase. */
type ParseError = Error & { readonly code?: string; readonly reason?: string };

/**
 * Answers what Node cannot read as a request in the form that other refusals have, in place of an empty 400. Where a
 * request is under way on the connection, that one is answered, and the connection ends: an answer out of turn would be
 * taken for its own (P44).
 */
export function answerMalformed(server: Server): void {
  server.on('clientError', (error: ParseError, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const refusal = refusalOf(error);
    if (Connection.of(socket).breakOff(refusal)) return;
    const body = `${JSON.stringify({ error: { code: 'BAD_REQUEST', message: refusal.message } })}\n`;
    const head = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
    socket.setTimeout(REFUSAL_READ_WITHIN_MS, () => socket.destroy());
    socket.end(`HTTP/1.1 ${refusal.statusLine}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
  });
}

function refusalOf({ code, reason, message }: ParseError): RefusedRequest {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new RefusedRequest(431, 'the path and headers are too long');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new RefusedRequest(413, 'the extensions of a chunk are too long');
    case 'HPE_INVALID_EOF_STATE':
      return new RefusedRequest(400, 'the request was not sent to its end');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new RefusedRequest(408, 'the request was not sent in time');
    default:
      return new RefusedRequest(400, `that is no HTTP/1.1 request: ${reason ?? message}`);
  }
}
