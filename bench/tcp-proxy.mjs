import net from 'node:net';

/**
 * A TCP proxy in front of one port, for measuring and testing links: it can stop passing bytes in either direction while
 * connections stay open, pass them at a limited speed, and count them.
 *
 * @typedef {{ passes: boolean, bytesPerSecond: number, bytes: number }} Direction
 */
export class TcpProxy {
  #server;
  #sockets = new Set();
  #wakers = new Set();
  /** Toward the server behind it. @type {Direction} */
  there = { passes: true, bytesPerSecond: Number.POSITIVE_INFINITY, bytes: 0 };
  /** Back from it. @type {Direction} */
  back = { passes: true, bytesPerSecond: Number.POSITIVE_INFINITY, bytes: 0 };

  /** @param {number} port @param {string} host */
  constructor(port, host = '127.0.0.1') {
    this.#server = net.createServer((client) => {
      const upstream = net.connect({ host, port, noDelay: true });
      client.setNoDelay(true);
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.once('close', () => this.#sockets.delete(socket));
      }
      this.#pass(client, upstream, this.there);
      this.#pass(upstream, client, this.back);
    });
  }

  /** @param {number} port @returns {Promise<number>} */
  listen(port = 0, host = '127.0.0.1') {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => resolve(/** @type {net.AddressInfo} */ (this.#server.address()).port));
    });
  }

  /** @param {Partial<Omit<Direction, 'bytes'>>} there @param {Partial<Omit<Direction, 'bytes'>>} back */
  set(there, back = there) {
    Object.assign(this.there, there);
    Object.assign(this.back, back);
    for (const wake of [...this.#wakers]) wake();
  }

  async close() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Chunks wait one by one, so that what is not passed on is not read, and fills the kernels' buffers instead. */
  #pass(from, to, direction) {
    let isOver = false;
    const waiting = [];
    const wake = () => {
      if (direction.passes) next();
    };
    this.#wakers.add(wake);
    let isBusy = false;
    const next = () => {
      if (isBusy || !direction.passes) return;
      const chunk = waiting.shift();
      if (chunk === undefined) {
        if (!isOver) return from.resume();
        this.#wakers.delete(wake);
        // The end travels behind what was sent before it, and a cut swallows it as well.
        to.destroySoon();
        return;
      }
      isBusy = true;
      direction.bytes += chunk.byteLength;
      const pauseMs = (chunk.byteLength / direction.bytesPerSecond) * 1_000;
      const done = () => {
        isBusy = false;
        next();
      };
      const write = () => (to.destroyed || to.write(chunk) ? done() : to.once('drain', done));
      if (pauseMs > 0) setTimeout(write, pauseMs);
      else write();
    };
    from.on('data', (chunk) => {
      from.pause();
      // In small pieces, as a slow wire delivers.
      for (let at = 0; at < chunk.byteLength; at += 16_384) waiting.push(chunk.subarray(at, at + 16_384));
      next();
    });
    from.on('error', () => undefined);
    from.once('close', () => {
      isOver = true;
      next();
    });
  }
}
