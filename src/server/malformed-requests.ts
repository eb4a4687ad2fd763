import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** What Node's parser says; `reason` is a phrase. */
type ParseError = Error & { readonly code?: string; readonly reason?: string };

/** Answers what Node cannot read as a request in the form that other refusals have, in place of an empty 400. */
export function answerMalformed(server: Server): void {
  server.on('clientError', (error: ParseError, socket: Duplex) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const { status, message } = refusalOf(error);
    const body = `${JSON.stringify({ error: { code: 'BAD_REQUEST', message } })}\n`;
    const head = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
    socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  });
}

function refusalOf({ code, reason, message }: ParseError): { readonly status: string; readonly message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: '431 Request Header Fields Too Large', message: 'the path and headers are too long' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: '408 Request Timeout', message: 'the request was not sent in time' };
    default:
      return { status: '400 Bad Request', message: `that is no HTTP/1.1 request: ${reason ?? message}` };
  }
}
