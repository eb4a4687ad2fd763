import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** These headers belong to the offer of another protocol, and go with it. */
const OF_THE_OFFER = ['upgrade', 'http2-settings', 'connection'];

/** Whether a request offers to go on in a protocol that is not spoken here: HTTP/2, as curl and Java's client do unasked. */
export function offersOtherProtocol({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() !== 'websocket';
}

/**
 * Answers a request as if it had not offered an upgrade (RFC 9110, section 7.8: a server may ignore the offer). Node hands
 * such a request over without reading its body, so the server reads it anew, from its head on, as an ordinary request.
 */
export function answerPlainly(server: Server, request: IncomingMessage, socket: Duplex, rest: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (!OF_THE_OFFER.includes(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  // Latin-1 is what Node reads headers as.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  const isEncrypted = (socket as { encrypted?: boolean }).encrypted === true;
  server.emit(isEncrypted ? 'secureConnection' : 'connection', socket);
}
