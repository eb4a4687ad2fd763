import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';

/**
 * The one published port of a cluster whose own network cannot be reached from here, as with containers: it leads to one node, and all
 * addresses that the node tells are changed, as they pass, into ones of the same length at which nobody listens.
 */
export class OnlyDoor {
  readonly #server: net.Server;
  readonly #sockets = new Set<Socket>();

  /** `addresses`: those of all nodes, with ports of five digits. */
  static async before(node: string, addresses: readonly string[]): Promise<OnlyDoor> {
    const door = new OnlyDoor(node, addresses);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  private constructor(node: string, addresses: readonly string[]) {
    const hidden = addresses.map((address, at) => [address, `127.0.1.${at + 1}:00001`] as const);
    const hide = (text: string): string => hidden.reduce((all, [from, to]) => all.replaceAll(from, to), text);
    const [host, port] = node.split(':');
    this.#server = net.createServer((caller) => {
      const answerer = net.connect(Number(port), host);
      for (const socket of [caller, answerer]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.once('close', () => {
          this.#sockets.delete(socket);
          caller.destroy();
          answerer.destroy();
        });
      }
      caller.pipe(answerer);
      // Each message comes in one piece, or nearly always: an address that is cut in two is only not hidden.
      answerer.setEncoding('latin1').on('data', (text: string) => caller.write(hide(text), 'latin1'));
      answerer.on('end', () => caller.end());
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
