/**
 * A node that replicates counters. Three of them, each in a terminal of its own:
 *
 *   node examples/counter-node.mjs n1 n1=127.0.0.1:8301,n2=127.0.0.1:8302,n3=127.0.0.1:8303 ./data/n1
 *
 * Then, over HTTP at any of them, and from another program:
 *
 *   curl -d '' http://127.0.0.1:8302/v1/counters/visits     {"count":1}
 *   node examples/counter-client.mjs 127.0.0.1:8301,127.0.0.1:8302 visits
 */
import { ReplicaNode } from 'quorate';
import { Counters } from './counter.mjs';

const [id, peersText, dataDir] = process.argv.slice(2);
if (dataDir === undefined) {
  console.error('usage: node examples/counter-node.mjs ID ID=HOST:PORT,… DIRECTORY');
  process.exit(2);
}
const peers = Object.fromEntries(peersText.split(',').map((peer) => peer.split('=')));

// The state machine brings its service: the node serves it on the port that its peers use, too.
const node = await ReplicaNode.open({ id, peers, dataDir, stateMachine: new Counters() });
process.once('SIGINT', () => node.close());
process.once('SIGTERM', () => node.close());
console.log(`${id} listens on ${node.address}`);
