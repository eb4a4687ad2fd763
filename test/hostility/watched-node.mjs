// One node as a process of its own that tells, when asked, how much memory is in use once garbage is collected, and what
// it has logged since it was last asked.
import { pino } from 'pino';
import { KeyValueStore, ReplicaNode } from '../../dist/src/index.js';

const [id, peersText, dataDir] = process.argv.slice(2);
const peers = JSON.parse(peersText);
let logged = '';
const write = (line) => {
  logged += line;
};
const logger = pino({ level: 'info' }, { write });
const options = { id, listen: peers[id], peers, dataDir, logger };
await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore() });
process.on('message', () => {
  globalThis.gc();
  setImmediate(() => {
    globalThis.gc();
    const { heapUsed, external } = process.memoryUsage();
    process.send({ bytes: heapUsed + external, logged });
    logged = '';
  });
});
process.send({ ready: true });
