// One node of the killing test, as a process of its own: its state machine appends ids. Commands come over IPC.
import { createHash } from 'node:crypto';
import { pino } from 'pino';
import { ReplicaNode } from '../../dist/src/index.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const text = { encode: (value) => encoder.encode(value), decode: (bytes) => decoder.decode(bytes) };
const number = { encode: (value) => encoder.encode(String(value)), decode: (bytes) => Number(decoder.decode(bytes)) };

class Ids {
  codec = text;
  resultCodec = number;
  ids = [];

  apply(batch) {
    return batch.map(({ command }) => {
      // A later release of it takes what this one cannot take, and gives a result that says so.
      if (command === 'poison' && process.env.TAKES_POISON === '1') return -1;
      if (command === 'poison') throw new RangeError('it is poison');
      return this.ids.push(command);
    });
  }

  capture() {
    const image = encoder.encode(JSON.stringify(this.ids));
    return { chunks: () => [image], release: () => undefined };
  }

  restore() {
    const chunks = [];
    return {
      write: (chunk) => void chunks.push(chunk.slice()),
      finish: () => {
        this.ids = JSON.parse(decoder.decode(Buffer.concat(chunks)));
      },
      abort: () => undefined,
    };
  }

  hash() {
    return createHash('sha256').update(this.ids.join('\n')).digest();
  }
}

const [id, peersText, dataDir] = process.argv.slice(2);
const peers = JSON.parse(peersText);
const stateMachine = new Ids();
const logger = pino({ level: 'info' }, pino.destination({ dest: `${dataDir}.log`, sync: true }));
// Snapshots are taken all the time, so that kills meet them at every moment.
const snapshotLogBytes = 20_000;
const node = await ReplicaNode.open({ id, listen: peers[id], peers, dataDir, stateMachine, logger, snapshotLogBytes });

node.actor.on('node.halted', ({ error }) => process.send({ halted: error.message }));

async function propose(proposed) {
  try {
    await node.propose(proposed, { timeoutMs: 2_000 });
    return { proposed, outcome: 'acknowledged' };
  } catch (error) {
    return { proposed, outcome: error.code };
  }
}

process.on('message', async ({ call, kind, ids }) => {
  if (kind === 'propose') process.send({ call, outcomes: await Promise.all(ids.map(propose)) });
  if (kind === 'status') {
    const { role, commitIndex, lastApplied, log, term } = node.state;
    const serving = role === 'leader' && node.whyNotReady() === undefined;
    process.send({ call, role, serving, term, commitIndex, lastApplied, lastIndex: log.lastIndex });
  }
  if (kind === 'forget') {
    stateMachine.ids.pop();
    process.send({ call });
  }
  if (kind === 'close') {
    await node.close();
    process.exit(0);
  }
  if (kind === 'report') {
    process.send({ call, ids: stateMachine.ids, hash: Buffer.from(stateMachine.hash()).toString('hex') });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
