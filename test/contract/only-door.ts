import http from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * The one published port of a cluster whose own network cannot be reached from here, as with containers: it leads to one node, and all
 * addresses that the node tells are changed into ones at which nobody listens.
 */
export class OnlyDoor {
  readonly #server: http.Server;
  readonly #hidden: readonly (readonly [string, string])[];

  static async before(node: string, addresses: readonly string[]): Promise<OnlyDoor> {
    const door = new OnlyDoor(node, addresses);
    await new Promise<void>((resolve) => door.#server.listen(0, '127.0.0.1', resolve));
    return door;
  }

  private constructor(node: string, addresses: readonly string[]) {
    this.#hidden = addresses.map((address, at) => [address, `127.0.1.${at + 1}:1`]);
    const [host, port] = node.split(':');
    this.#server = http.createServer((asked, answer) => {
      const { method, url: path } = asked;
      const request = http.request({ host, port, method, path, agent: false }, (message) => {
        const { 'content-length': _, 'content-security-policy': policy = '', ...headers } = message.headers;
        answer.writeHead(message.statusCode ?? 502, {
          ...headers,
          ...(policy === '' ? {} : { 'content-security-policy': this.#hide(policy as string) }),
        });
        message.setEncoding('latin1');
        // Each message of a stream comes in one piece, or nearly always: an address that is cut in two is only not hidden.
        message.on('data', (text: string) => answer.write(this.#hide(text), 'latin1'));
        message.on('close', () => answer.end());
      });
      request.on('error', () => answer.destroy());
      answer.on('close', () => request.destroy());
      request.end();
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #hide(text: string): string {
    return this.#hidden.reduce((all, [address, hidden]) => all.replaceAll(address, hidden), text);
  }
}
