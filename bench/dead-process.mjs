/**
 * How long Linux takes from `kill -9` to closing a dead process's sockets, by how much memory it had: followers learn of a leader's death by that.
 * `node bench/dead-process.mjs`
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const TIMES = 5;
const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();

for (const megabytes of [0, 200, 600, 1_200]) {
  const took = [];
  for (let time = 0; time < TIMES; time += 1) took.push(await closesAfterMs(megabytes));
  took.sort((a, b) => a - b);
  console.log(`${megabytes} MB: ${took.map((ms) => ms.toFixed(0)).join(', ')} ms`);
}
server.close();

async function closesAfterMs(megabytes) {
  const program = `const kept = Array.from({ length: ${megabytes} }, () => Buffer.alloc(2 ** 20, 1));
    require('node:net').connect(${port}, '127.0.0.1').on('data', () => kept.length).write('ready');`;
  const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
  const [socket] = await once(server, 'connection');
  // A killed process may reset the connection.
  socket.on('error', () => undefined);
  await once(socket, 'data');
  const killedAt = performance.now();
  child.kill('SIGKILL');
  await once(socket, 'close');
  return performance.now() - killedAt;
}
