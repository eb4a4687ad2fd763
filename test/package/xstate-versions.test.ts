import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePorts } from '../node/real-nodes.js';
import { bin, PackedPackage, run } from './packed.js';

const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  peerDependencies: { readonly xstate: string };
};
const FLOOR = peerDependencies.xstate.replace('^', '');

let packed: PackedPackage;
beforeAll(() => {
  packed = new PackedPackage();
});
afterAll(() => packed.remove());

/** Embeds a node, works while it leads, and explores a few simulated clusters: what it prints depends on nothing but the seeds. */
const PROGRAM = `import { createHash } from 'node:crypto';
import { KeyValueStore, ReplicaNode } from 'quorate';
import { leadership } from 'quorate/machines';
import { explore } from 'quorate/testing';
import { createActor, setup, waitFor } from 'xstate';

const peers = { n1: '127.0.0.1:0' };
const node = await ReplicaNode.open({ id: 'n1', peers, dataDir: 'data', stateMachine: new KeyValueStore(), logger: false });
const worker = setup({ actors: { leadership: leadership(node) } }).createMachine({
  invoke: { src: 'leadership' },
  initial: 'resting',
  on: { 'leadership.gained': '.working' },
  states: { resting: {}, working: {} },
});
const actor = createActor(worker).start();
await waitFor(actor, (snapshot) => snapshot.matches('working'));
await node.propose({ kind: 'put', key: 'k', value: Buffer.from('v') });
const { revision } = await node.read((store) => store.get('k'));
actor.stop();
await node.close();
const hash = createHash('sha256');
for (const seed of [1, 2, 3]) for (const line of explore(seed).trace) hash.update(line);
console.log(revision, hash.digest('hex'));
`;

/** Machines of a user's own, with a node's in them. */
const TYPES = `import { KeyValueStore, ReplicaNode } from 'quorate';
import { leadership, replica, replicaMachine } from 'quorate/machines';
import { assign, createActor, setup, waitFor } from 'xstate';
const node = await ReplicaNode.open({ id: 'a', peers: {}, dataDir: 'x', stateMachine: new KeyValueStore() });
const worker = setup({ types: { context: {} as { token: number } }, actors: { leadership: leadership(node) } }).createMachine({
  context: { token: 0 },
  invoke: { src: 'leadership' },
  initial: 'resting',
  states: { resting: {}, working: { entry: assign({ token: 1 }) } },
});
const whole = setup({ actors: { chart: replicaMachine, replica: replica({} as never) } });
await waitFor(node.actor, (snapshot) => snapshot.matches({ active: { leader: 'serving' } }));
node.actor.on('role.changed', ({ role }) => console.log(role));
createActor(worker);
createActor(whole.createMachine({ invoke: { src: 'replica' } }));
`;

test('beside the oldest XState of its range and the newest, a node runs, user machines compile, and the same seeds do the same', () => {
  const printed = [FLOOR, '5'].map((version) => {
    const project = packed.install(`with-${version}`, [`xstate@${version}`]);
    writeFileSync(path.join(project, 'program.mjs'), PROGRAM);
    writeFileSync(path.join(project, 'types.ts'), TYPES);
    const flags = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,esnext.disposable'];
    const types = ['--types', 'node', '--typeRoots', path.resolve('node_modules/@types')];
    run(bin('tsc'), ['--noEmit', '--strict', '--skipLibCheck', ...flags, ...types, 'types.ts'], project);
    expect(() => readFileSync(path.join(project, 'node_modules/quorate/node_modules/xstate/package.json'))).toThrow();
    return run(process.execPath, ['program.mjs'], project);
  });
  expect(printed[0]).toMatch(/^1 [0-9a-f]{64}\n$/);
  expect(printed[1]).toBe(printed[0]);
}, 240_000);

test('the examples run where each package sees only what it depends on, as with pnpm', async () => {
  const project = packed.install('linked', ['xstate'], ['--install-strategy=linked']);
  for (const name of ['leadership', 'invoked-replica'])
    copyFileSync(path.resolve(`examples/${name}.mjs`), path.join(project, `${name}.mjs`));
  const [first] = await freePorts(3);
  expect(run(process.execPath, ['leadership.mjs', String(first)], project)).toMatch(/n\d works with token \d+/);
  expect(run(process.execPath, ['invoked-replica.mjs', String(first)], project)).toBe('sold at n1, n2, n3\n');
}, 240_000);
