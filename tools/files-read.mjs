/**
 * Which files a reader of one write needs: runs three nodes in processes of their own, does one PUT over HTTP at the leader,
 * and prints the files of which a function ran for it, at the leader and at a follower. A function that also ran in an equally
 * long stretch just before, in which nobody asked for anything, is no part of the write (the lock's heartbeat, the watch for
 * pauses); files of which only such functions ran are counted apart, because some of them serve the write as well.
 *
 * `npm run build && node tools/files-read.mjs`, or with `--list` for their names
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from './free-ports.mjs';

const SELF = fileURLToPath(import.meta.url);
const TOP = path.resolve(path.dirname(SELF), '..');
/** Longer than the interval of anything that a node does by itself, so that both stretches have it. */
const STRETCH_MS = 2_500;
/** So slow that no heartbeat and no election comes between. */
const CALM = { HEARTBEAT_INTERVAL: 20_000, ELECTION_TIMEOUT_MIN: 60_000, ELECTION_TIMEOUT_MAX: 61_000 };

if (process.send !== undefined) await runNode(JSON.parse(process.argv[2]));
else await measure(process.argv.includes('--list'));

async function runNode({ id, peers, dataDir }) {
  const { KeyValueStore, ReplicaNode } = await import('../dist/src/index.js');
  const stateMachine = new KeyValueStore();
  const node = await ReplicaNode.open({ id, peers, dataDir, stateMachine, logger: false, ...CALM });
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  const look = () => ({ role: node.state.role, ready: node.whyNotReady() === undefined });
  const answers = {
    look,
    stand: () => {
      node.actor.send({ type: 'election.timedOut', reason: 'told to stand' });
      return look();
    },
    // Nothing of the node is asked for here: what runs for the answer would be counted.
    begin: async () => {
      await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
      return 'begun';
    },
    take: () => functionsThatRan(session),
  };
  process.on('message', async (message) => {
    process.send(await answers[message]());
  });
  process.send('ready');
}

/** Each as its file and its place there. Counting begins anew. */
async function functionsThatRan(session) {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  const prefix = `file://${TOP}/dist/`;
  return result
    .filter(({ url }) => url.startsWith(prefix))
    .flatMap(({ url, functions }) => {
      const file = url.slice(prefix.length).replace(/\.js$/, '.ts');
      const ran = functions.map(({ ranges }) => ranges[0]).filter(({ count }) => count > 0);
      return ran.map(({ startOffset, endOffset }) => `${file} ${startOffset} ${endOffset}`);
    });
}

async function measure(isListed) {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-files-'));
  const ports = await freePorts(3);
  const ids = ['a', 'b', 'c'];
  const peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
  const nodes = ids.map((id) => fork(SELF, [JSON.stringify({ id, peers, dataDir: path.join(directory, id) })]));
  const ask = (node, message) =>
    new Promise((resolve) => {
      node.once('message', resolve);
      if (message !== undefined) node.send(message);
    });
  try {
    await Promise.all(nodes.map((node) => ask(node)));
    const [leader, follower] = nodes;
    const put = () => fetch(`http://${peers.a}/v1/kv/k`, { method: 'PUT', body: 'v' });
    do await ask(leader, 'stand');
    while (!(await isServing(leader, ask)));
    // What happens once only, such as the first connection, is not part of it.
    for (let count = 0; count < 20; count += 1) await put();
    const askBoth = (message) => Promise.all([ask(leader, message), ask(follower, message)]);
    await askBoth('begin');
    await pause(STRETCH_MS);
    const idle = await askBoth('take');
    const stretchIsOver = pause(STRETCH_MS);
    const { status } = await put();
    if (status !== 200) throw new Error(`the write was answered with ${status}`);
    await stretchIsOver;
    const written = await askBoth('take');
    report('a PUT at the leader', written[0], idle[0], isListed);
    report('its append at a follower', written[1], idle[1], isListed);
  } finally {
    for (const node of nodes) node.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function isServing(leader, ask) {
  for (let tries = 0; tries < 50; tries += 1) {
    const { role, ready } = await ask(leader, 'look');
    if (role === 'leader' && ready) return true;
    await pause(20);
  }
  return false;
}

function report(what, functions, idle, isListed) {
  const files = filesOf(functions.filter((one) => !idle.includes(one)));
  const others = filesOf(functions).filter((file) => !files.includes(file));
  const print = (line, named) => {
    process.stdout.write(`${line}\n`);
    if (isListed) process.stdout.write(named.map((file) => `  ${file}\n`).join(''));
  };
  print(`${what}: ${files.length} files`, files);
  print(`  and ${others.length} of which only functions ran that run in an idle node as well`, others);
}

function filesOf(functions) {
  return [...new Set(functions.map((one) => one.split(' ')[0]))].sort();
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
