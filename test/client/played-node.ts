import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import type { ClientFrame } from '../../src/wire/client-frames.js';
import { CLIENT_PROTOCOLS, decodeClientFrame, encodeNodeFrame } from '../../src/wire/client-frames.js';

/** A node that is played by the test: it takes frames, and answers what and when it likes. */
export class PlayedNode {
  readonly frames: ClientFrame[] = [];
  readonly #server: Server = createServer();
  readonly #sockets: WebSocketServer;
  answer: (frame: ClientFrame, socket: WebSocket) => void = () => undefined;
  /** Who leads, the last of the members, and how long it takes to say so. Default: this node, at once. */
  greeting: {
    readonly term?: number;
    readonly members?: Readonly<Record<string, string>>;
    readonly afterMs?: number;
  } = {};
  greeted = 0;

  /** `protocols`: those that it knows, the newest first. It takes the newest that a client offers, as a node does. */
  constructor(protocols = CLIENT_PROTOCOLS) {
    const handleProtocols = (offered: Set<string>) => protocols.find((known) => offered.has(known)) ?? false;
    this.#sockets = new WebSocketServer({ server: this.#server, handleProtocols });
    this.#sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        const frame = decodeClientFrame(data as Buffer);
        if (frame.kind === 'hello') {
          this.greeted += 1;
          const { term = 1, members = { a: this.address }, afterMs = 0 } = this.greeting;
          const greet = (): void => socket.send(this.#news(term, members));
          if (afterMs > 0) setTimeout(greet, afterMs);
          else greet();
          return;
        }
        this.frames.push(frame);
        this.answer(frame, socket);
      });
    });
  }

  /** Who leads: the last of the members. */
  tell(term: number, members: Readonly<Record<string, string>>): void {
    for (const socket of this.#sockets.clients) socket.send(this.#news(term, members));
  }

  #news(term: number, members: Readonly<Record<string, string>>): Uint8Array {
    const known = Object.entries(members).map(([id, address]) => ({ id, address }));
    const news = { term: asTerm(term), leaderId: known.at(-1)?.id ?? null, members: known };
    return encodeNodeFrame({ kind: 'leader', news });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  async close(): Promise<void> {
    this.cut();
    this.#sockets.close();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
