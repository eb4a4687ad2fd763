import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** So little is under way at once that a heartbeat does not wait long behind a snapshot. */
const BUFFERED_BYTES = 64 * 1024;

/** Listens on a free port of this machine, and passes each connection on to `address` with so many bytes a second each way. */
export async function openSlowLink(address, bytesPerSecond) {
  const [host, port] = address.split(':');
  const sockets = new Set();
  const server = createServer((near) => {
    const far = connect({ host, port: Number(port), highWaterMark: BUFFERED_BYTES });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    const end = () => {
      near.destroy();
      far.destroy();
    };
    pipeline(near, slowed(bytesPerSecond), far, end);
    pipeline(far, slowed(bytesPerSecond), near, end);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${server.address().port}`,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function slowed(bytesPerSecond) {
  return new Transform({
    highWaterMark: BUFFERED_BYTES,
    transform(chunk, _encoding, done) {
      sleep((chunk.length / bytesPerSecond) * 1_000).then(() => done(null, chunk));
    },
  });
}
