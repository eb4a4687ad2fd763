/**
 * A statechart of your own that works while its node leads, with the term as its fencing token. Three nodes in one process; the
 * first that works is closed, and another takes over.
 *
 *   node examples/leadership.mjs
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KeyValueStore, ReplicaNode } from 'quorate';
import { leadership } from 'quorate/machines';
import { assign, createActor, setup, waitFor } from 'xstate';

/**
 * What the work touches. It takes nothing from a token that is less than one it has seen: an old leader may not have learned yet
 * that there is a new one, and only this keeps its work from going on beside the new leader's.
 */
const printer = {
  greatestToken: 0,
  print(token, text) {
    if (token < this.greatestToken) throw new Error(`token ${token} is refused: ${this.greatestToken} was seen`);
    this.greatestToken = token;
    console.log(text);
  },
};

const workerOf = (node) =>
  setup({ actors: { leadership: leadership(node) } }).createMachine({
    context: { token: 0 },
    invoke: { src: 'leadership' },
    initial: 'resting',
    on: {
      'leadership.gained': { target: '.working', actions: assign({ token: ({ event }) => event.term }) },
      'leadership.lost': {
        target: '.resting',
        actions: ({ event }) => console.log(`${node.state.id} rests: ${event.reason}`),
      },
    },
    states: {
      resting: {},
      working: {
        entry: ({ context: { token } }) => printer.print(token, `${node.state.id} works with token ${token}`),
      },
    },
  });

const [first = 8201] = process.argv.slice(2).map(Number);
const peers = Object.fromEntries(['n1', 'n2', 'n3'].map((id, at) => [id, `127.0.0.1:${first + at}`]));
const directory = mkdtempSync(path.join(tmpdir(), 'leadership-'));
const members = await Promise.all(
  Object.keys(peers).map(async (id) => {
    const dataDir = path.join(directory, id);
    const node = await ReplicaNode.open({ id, peers, dataDir, stateMachine: new KeyValueStore(), logger: false });
    return { node, worker: createActor(workerOf(node)).start() };
  }),
);
const works = ({ worker }) => waitFor(worker, (snapshot) => snapshot.matches('working')).then(() => worker);

const busy = await Promise.race(members.map(works));
const leader = members.find(({ worker }) => worker === busy);
const others = members.filter((member) => member !== leader);
await leader.node.close();
await Promise.race(others.map(works));
for (const { worker } of members) worker.stop();
for (const { node } of others) await node.close();
rmSync(directory, { recursive: true });
