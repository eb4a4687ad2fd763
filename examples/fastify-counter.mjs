/**
 * A Fastify service with a replicated counter. Its HTTP server carries the peers, too: one port for each node.
 *
 *   node examples/fastify-counter.mjs n1 n1=127.0.0.1:8101,n2=127.0.0.1:8102,n3=127.0.0.1:8103 ./data/n1
 *   curl -X POST http://127.0.0.1:8102/counters/visits     {"count":1}
 */
import Fastify from 'fastify';
import { ReplicaNode } from 'quorate';
import { Counters } from './counter.mjs';

const [id, peersText, dataDir] = process.argv.slice(2);
if (dataDir === undefined) {
  console.error('usage: node examples/fastify-counter.mjs ID ID=HOST:PORT,… DIRECTORY');
  process.exit(2);
}
const peers = Object.fromEntries(peersText.split(',').map((peer) => peer.split('=')));
const [host, port] = peers[id].split(':');

const app = Fastify();
let node;

app.post('/counters/:name', async (request) => {
  const count = await node.propose({ name: request.params.name, by: 1 });
  return { count };
});

// Never less than any increment that was answered, whichever node is asked.
app.get('/counters/:name', async (request) => {
  const count = await node.read((counters) => counters.count(request.params.name));
  return { count };
});

app.setErrorHandler((error, _request, reply) => {
  const isUnknown = error.code === 'QUORATE_OUTCOME_UNKNOWN';
  reply.status(isUnknown ? 504 : 503).send({ error: error.code, message: error.message });
});

await app.ready();
node = await ReplicaNode.open({ id, peers, dataDir, server: app.server, stateMachine: new Counters() });
await app.listen({ host, port: Number(port) });
console.log(`${id} listens on ${peers[id]}`);

process.once('SIGTERM', async () => {
  await node.close();
  await app.close();
});
