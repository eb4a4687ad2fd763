import type { Server } from 'node:http';
import { PEER_PATH } from '../../transport/web-socket-transport.js';
import { createRequestHandler } from './request-handler.js';
import type { ServedNode } from './served-node.js';

/** Serves a node's HTTP interface on a server that is its own. */
export function attachApi(server: Server, node: ServedNode): void {
  server.headersTimeout = 10_000;
  server.requestTimeout = 120_000;
  server.maxHeadersCount = 100;
  server.on('request', createRequestHandler(node));
  server.on('upgrade', (request, socket) => {
    const [path] = (request.url ?? '/').split('?');
    const isTaken = path === PEER_PATH && server.listenerCount('upgrade') > 1;
    if (isTaken) return;
    // Peers that come before the node has recovered, or after it halted, are told so at once: they dial again.
    const status = path === PEER_PATH ? '503 Service Unavailable' : '404 Not Found';
    socket.on('error', () => undefined);
    socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  });
}
