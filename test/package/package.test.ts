import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { launchBrowser } from '../../tools/browser.mjs';
import { freePorts, RealNodes, STEADY } from '../node/real-nodes.js';
import { bin, PackedPackage, run } from './packed.js';

/** A project of somebody's, with the package in it as it is published. */
let project: string;
let packed: PackedPackage;
let inspected: ChildProcess | undefined;

beforeAll(() => {
  packed = new PackedPackage();
  project = packed.install('project');
});
afterAll(() => void inspected?.kill('SIGKILL'));
afterAll(() => packed.remove());

/** All of it: what is taken away breaks somebody's code, and what is added stays for good. */
const EXPORTS = {
  quorate:
    'DEFAULT_SETTINGS EntryEncoder KeyValueStore NodeDisk QuorateError ReplicaNode ReplicaView SegmentedLog WebSocketTransport ' +
    'asIndex asTerm defineService fastifyRoutes nodeChecksum openDataDirectory requestHandler systemClock',
  'quorate/client': 'QuorateError connect defineService',
  'quorate/inspect': 'createInspector',
  'quorate/machines': 'leadership replica replicaMachine roleOf',
  'quorate/testing':
    'ConformanceFailure LoneReplica MemoryLogStore MemoryNetwork Recorder SafetyChecker SafetyViolation SimulatedCluster SimulatedReplica ' +
    'SimulationStuck VirtualClock VirtualDisk checkStateMachine clockConformance diskConformance diskPowerCutConformance explore knownPeersConformance ' +
    'knownPeersRestartConformance logStoreConformance logStoreFaultConformance replicaEvents replicaInput simulate snapshotTransportConformance ' +
    'stateMachineConformance stateMachineSnapshotConformance transportConformance',
};
const INTEROP = ['default', '__esModule', 'module.exports'];

describe('the packed package, installed elsewhere', () => {
  test.each(Object.entries(EXPORTS))('%s can be imported and required', (name, exported) => {
    const list = `console.log(Object.keys(all).filter((one) => !${JSON.stringify(INTEROP)}.includes(one)).sort().join(' '))`;
    writeFileSync(path.join(project, 'import.mjs'), `import * as all from '${name}';\n${list}`);
    writeFileSync(path.join(project, 'require.cjs'), `const all = require('${name}');\n${list}`);
    expect(run(process.execPath, ['import.mjs'], project)).toBe(`${exported}\n`);
    expect(run(process.execPath, ['--no-warnings', 'require.cjs'], project)).toBe(`${exported}\n`);
  });

  test.each(['nodenext', 'bundler'])('its types hold under %s, and follow the state machine', (resolution) => {
    writeFileSync(
      path.join(project, 'types.ts'),
      `import { KeyValueStore, ReplicaNode, type StateMachine } from 'quorate';
import { connect, defineService, type Codec } from 'quorate/client';
import { createInspector, type InspectionMessage } from 'quorate/inspect';
import { leadership, replicaMachine } from 'quorate/machines';
import { simulate } from 'quorate/testing';
import { createActor, setup } from 'xstate';
const node = await ReplicaNode.open({ id: 'a', peers: { a: '127.0.0.1:1' }, dataDir: 'x', stateMachine: new KeyValueStore() });
const result = await node.propose({ kind: 'put', key: 'k', value: new Uint8Array(1) });
const kind: 'put' | 'deleted' | 'conflict' = result.kind;
const revision: number | undefined = await node.read((store) => store.get('k')?.revision);
// @ts-expect-error a command that the state machine does not know
await node.propose({ kind: 'increment' });
declare const counter: StateMachine<{ by: number }, number> & { readonly value: number };
const counting = await ReplicaNode.open({ id: 'a', peers: {}, dataDir: 'x', stateMachine: counter });
const value: number = (await counting.propose({ by: 1 })) + (await counting.read((machine) => machine.value));
const { revision: written }: { revision: number } = await (await connect()).put('k', 'v', { ifRevision: 0 });
declare const text: Codec<string>;
declare const by: Codec<{ by: number }>;
declare const count: Codec<number>;
const service = defineService({
  name: 'counter',
  command: by,
  result: count,
  queries: { plus: { input: count, answer: count, run: (machine: { readonly value: number }, more) => machine.value + more } },
  routes: { 'PUT /v1/counter/{name}': async ({ params, propose }) => ({ json: { [params.name]: await propose({ by: 1 }) } }) },
});
await ReplicaNode.open({ id: 'a', peers: {}, dataDir: 'x', stateMachine: counter, service });
// @ts-expect-error a service for another state machine
await ReplicaNode.open({ id: 'a', peers: {}, dataDir: 'x', stateMachine: counter, service: defineService({ name: 'x', command: text, result: text }) });
const client = await connect(undefined, { service });
const answered: number = (await client.propose({ by: 1 })) + (await client.query({ plus: 5 }));
// @ts-expect-error a query that the service does not have
await client.query({ minus: 5 });
const simulated = simulate({ seed: 1, stateMachine: () => counter }).propose({ by: 1 });
const sum: number | undefined = simulated.resultOf({ by: 1 });
// @ts-expect-error a command that the state machine does not know
simulated.propose('one');
const inspector = await createInspector({ port: 8080 });
const light = createActor(setup({}).createMachine({}), { inspect: inspector.inspect });
const detach: () => void = inspector.attach(light);
const kinds: InspectionMessage['type'] = 'snapshot';
// @ts-expect-error an option that there is not
await createInspector({ prot: 8080 });
console.log(detach, kinds, inspector.url, answered, sum, kind, revision, value, written, replicaMachine.id, simulate({ seed: 1 }).leader);
`,
    );
    const module = resolution === 'nodenext' ? 'nodenext' : 'esnext';
    const flags = [
      '--module',
      module,
      '--moduleResolution',
      resolution,
      '--target',
      'es2022',
      '--lib',
      'es2023,esnext.disposable',
    ];
    const types = ['--types', 'node', '--typeRoots', path.resolve('node_modules/@types')];
    expect(run(bin('tsc'), ['--noEmit', '--strict', '--skipLibCheck', ...flags, ...types, 'types.ts'], project)).toBe(
      '',
    );
  });

  test('publint and attw find nothing to say', () => {
    expect(run(bin('publint'), ['--strict', packed.tarball], project)).toMatch(/All good/);
    // It exits with another code than 0 if it finds anything.
    const attw = [packed.tarball, '--profile', 'esm-only', '--no-emoji', '--no-color', '--quiet'];
    expect(run(bin('attw'), attw, project)).toBe('');
  });

  test('nothing runs when it is installed, and nothing of it is native code', () => {
    const modules = path.join(project, 'node_modules');
    const files = readdirSync(modules, { recursive: true, encoding: 'utf8' });
    expect(files.filter((file) => file.endsWith('.node') || file.endsWith('binding.gyp'))).toEqual([]);
    const scripts = files
      .filter((file) => /^(@[^/]+\/)?[^/@]+\/package\.json$/.test(file))
      .map((file) => JSON.parse(readFileSync(path.join(modules, file), 'utf8')))
      .filter(({ scripts = {} }) => scripts.preinstall ?? scripts.install ?? scripts.postinstall);
    expect(scripts.map(({ name }) => name)).toEqual([]);
  });

  test('the documents are in it, and what they link to', () => {
    const documents = ['README.md', 'llms.txt', ...readdirSync('docs').map((file) => `docs/${file}`)];
    const installed = path.join(project, 'node_modules/quorate');
    const links = documents
      .filter((file) => /\.(md|txt)$/.test(file))
      .flatMap((file) => {
        const text = readFileSync(path.join(installed, file), 'utf8');
        return [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
          path.join(path.dirname(file), link ?? ''),
        );
      });
    expect(links.length).toBeGreaterThan(10);
    // Pictures are shown by whoever shows the repository: megabytes that no program needs.
    expect(existsSync(path.join(installed, 'docs/images'))).toBe(false);
    expect(links.filter((link) => !link.startsWith('docs/images/') && !existsSync(path.join(installed, link)))).toEqual(
      [],
    );
  });

  test('npx quorate is there', () => {
    expect(run('npx', ['--offline', 'quorate', '--help'], project)).toMatch(/cluster/);
  });

  test('its inspector has all that it needs with it', async () => {
    const [port, inspectPort] = (await freePorts(2)).map(String);
    const program = path.join(project, 'node_modules/quorate/dist/src/cli/main.js');
    const address = `127.0.0.1:${port}`;
    const where = ['--listen', address, '--peers', `n1=${address}`, '--data', path.join(project, 'data')];
    const node = spawn(process.execPath, [
      program,
      'serve',
      '--id',
      'n1',
      ...where,
      '--inspect',
      inspectPort as string,
    ]);
    inspected = node;
    let said = '';
    const told = new Promise((resolve) => {
      node.once('close', resolve);
      for (const stream of [node.stdout, node.stderr]) {
        stream.on('data', (chunk) => {
          said += chunk;
          if (said.includes(`ws://127.0.0.1:${inspectPort}`)) resolve(true);
        });
      }
    });
    await told;
    node.kill('SIGKILL');
    expect(said).toContain(`ws://127.0.0.1:${inspectPort}`);
  });
});

test('in a browser: the machine elects a leader on a virtual clock, a seeded cluster runs, and the client writes and reads', async () => {
  writeFileSync(
    path.join(project, 'browser.js'),
    `import { connect } from 'quorate/client';
import { replicaMachine } from 'quorate/machines';
import { simulate } from 'quorate/testing';
window.run = async (address) => {
  const cluster = simulate({ seed: 7 }).untilServing();
  cluster.propose('x', cluster.leader.id).verify();
  const db = await connect([address]);
  const { revision } = await db.put('from the browser', 'hello');
  const entry = await db.get('from the browser');
  await db.close();
  return { machine: replicaMachine.id, outcome: cluster.outcomeOf('x'), same: entry.revision === revision, value: new TextDecoder().decode(entry.value) };
};`,
  );
  const bundle = [
    'browser.js',
    '--bundle',
    '--format=iife',
    '--platform=browser',
    '--outfile=bundle.js',
    '--log-level=error',
  ];
  run(bin('esbuild'), bundle, project);
  const nodes = await RealNodes.start('abc', STEADY);
  const browser = await launchBrowser(packed.directory);
  try {
    const { address } = await nodes.leader();
    const page = await browser.newPage();
    // A page that the node itself serves: those from elsewhere are not let in.
    await page.goto(`http://${address}/v1/status`);
    await page.addScriptTag({ path: path.join(project, 'bundle.js') });
    const outcome = await page.evaluate(`window.run(${JSON.stringify(address)})`);
    expect(outcome).toEqual({ machine: 'replica', outcome: 'acknowledged', same: true, value: 'hello' });
  } finally {
    await browser.close();
    await nodes.close();
  }
});
