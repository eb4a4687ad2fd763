/**
 * A statechart of your own that reacts to leadership: it works while its node leads and is established, and rests
 * otherwise. Three nodes in one process; the first that works is closed, and another takes over.
 *
 *   node examples/leadership.mjs
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { KeyValueStore, ReplicaNode } from 'quorate';
import { createActor, fromCallback, setup, waitFor } from 'xstate';

const leadership = fromCallback(({ input, sendBack }) => {
  const subscriptions = [
    input.node.actor.on('leader.serving', () => sendBack({ type: 'leads' })),
    input.node.actor.on('role.changed', ({ role }) => role !== 'leader' && sendBack({ type: 'follows' })),
  ];
  if (input.node.whyNotReady() === undefined && input.node.state.role === 'leader') sendBack({ type: 'leads' });
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
});

const worker = setup({ actors: { leadership } }).createMachine({
  context: ({ input }) => input,
  invoke: { src: 'leadership', input: ({ context }) => context },
  initial: 'resting',
  on: { leads: '.working', follows: '.resting' },
  states: {
    resting: {},
    working: { entry: ({ context }) => console.log(`${context.node.state.id} works`) },
  },
});

const [first = 8201] = process.argv.slice(2).map(Number);
const peers = Object.fromEntries(['n1', 'n2', 'n3'].map((id, at) => [id, `127.0.0.1:${first + at}`]));
const directory = mkdtempSync(path.join(tmpdir(), 'leadership-'));
const members = await Promise.all(
  Object.keys(peers).map(async (id) => {
    const dataDir = path.join(directory, id);
    const node = await ReplicaNode.open({ id, peers, dataDir, stateMachine: new KeyValueStore() });
    return { node, worker: createActor(worker, { input: { node } }).start() };
  }),
);
const works = ({ worker }) => waitFor(worker, (snapshot) => snapshot.matches('working')).then(() => worker);

const busy = await Promise.race(members.map(works));
const leader = members.find(({ worker }) => worker === busy);
const others = members.filter((member) => member !== leader);
leader.worker.stop();
await leader.node.close();
await Promise.race(others.map(works));
for (const { worker, node } of others) {
  worker.stop();
  await node.close();
}
rmSync(directory, { recursive: true });
