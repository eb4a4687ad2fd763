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
if (peers[id] === undefined) {
  console.error(`the id ${id} is not among ${Object.keys(peers).join(', ')}: name this node there, as ${id}=HOST:PORT`);
  process.exit(2);
}
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

/** What was not done may be asked again; of what is unknown, read before you ask again. */
const STATUS = { BAD_REQUEST: 400, TOO_LARGE: 413, OVERLOADED: 429, OUTCOME_UNKNOWN: 504 };

app.setErrorHandler((error, _request, reply) => {
  const [, code] = /^QUORATE_(.+)$/.exec(error.code) ?? [];
  // Fastify's own errors, such as a body that is no JSON, say what they are.
  const status = code === undefined ? (error.statusCode ?? 500) : (STATUS[code] ?? 503);
  reply.status(status).send({ error: error.code, message: error.message });
});

await app.ready();
node = await ReplicaNode.open({ id, peers, dataDir, server: app.server, stateMachine: new Counters() });
await app.listen({ host, port: Number(port) });

const stop = async () => {
  await node.close();
  await app.close();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
console.log(`${id} listens on ${peers[id]}`);
