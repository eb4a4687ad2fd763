import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { sendAsset, sendPage } from '../../src/http/pages.js';
import { INSPECTION_PROTOCOL, type InspectionMessage } from '../../src/inspect/stream.js';

/** Serves the inspector's page, as it was built and with its real policy, and a stream that a test fills. */
export class PageServer {
  readonly #server: Server;
  readonly #sockets = new Set<WebSocket>();
  readonly #told: InspectionMessage[] = [];
  /** Refuses the stream with this reason; null lets viewers in. */
  refusal: string | null = null;

  private constructor(servedBy: 'node' | 'inspector') {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname.startsWith('/assets/')) return sendAsset(pathname.slice('/assets/'.length), request, response);
      if (pathname === '/inspector') return sendPage('inspector', { servedBy, others: [] }, request, response);
      response.writeHead(this.refusal === null ? 404 : 403, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ error: { code: 'FORBIDDEN', message: this.refusal } }));
    });
    const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => INSPECTION_PROTOCOL });
    this.#server.on('upgrade', (request, socket, head) => {
      if (this.refusal !== null || request.url !== '/inspector/stream') {
        socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
        return;
      }
      sockets.handleUpgrade(request, socket, head, (viewer) => {
        for (const message of this.#told) viewer.send(JSON.stringify(message));
        this.#sockets.add(viewer);
        viewer.on('close', () => this.#sockets.delete(viewer));
      });
    });
  }

  static async open(servedBy: 'node' | 'inspector' = 'node', port = 0): Promise<PageServer> {
    const server = new PageServer(servedBy);
    await new Promise<void>((resolve) => server.#server.listen(port, '127.0.0.1', resolve));
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/inspector`;
  }

  /** Told to viewers that are there, and first to those that come. */
  tell(...messages: readonly InspectionMessage[]): void {
    for (const message of messages) {
      this.#told.push(message);
      for (const viewer of this.#sockets) viewer.send(JSON.stringify(message));
    }
  }

  /** Ends the viewers' connections; they dial again. */
  disconnect(): void {
    for (const viewer of this.#sockets) viewer.terminate();
  }

  async close(): Promise<void> {
    this.disconnect();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
