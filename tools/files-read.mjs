/**
 * Which files a reader of one write needs: runs three nodes in processes of their own, does one PUT over HTTP at the leader,
 * and prints the files of which a function ran meanwhile, at the leader and at a follower.
 *
 * `npm run build && node tools/files-read.mjs`, or with `--list` for their names
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
const TOP = path.resolve(path.dirname(SELF), '..');
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
  process.on('message', async (message) => {
    if (message === 'stand') node.actor.send({ type: 'election.timedOut', reason: 'told to stand' });
    if (message === 'begin') await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
    const answer =
      message === 'end'
        ? await filesThatRan(session)
        : { role: node.state.role, ready: node.whyNotReady() === undefined };
    process.send(answer);
  });
  process.send('ready');
}

async function filesThatRan(session) {
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  const prefix = `file://${TOP}/dist/`;
  return result
    .filter(({ url, functions }) => url.startsWith(prefix) && functions.some(({ ranges }) => ranges[0].count > 0))
    .map(({ url }) => url.slice(prefix.length).replace(/\.js$/, '.ts'))
    .sort();
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
    await Promise.all([ask(leader, 'begin'), ask(follower, 'begin')]);
    const { status } = await put();
    if (status !== 200) throw new Error(`the write was answered with ${status}`);
    report('a PUT at the leader', await ask(leader, 'end'), isListed);
    report('its append at a follower', await ask(follower, 'end'), isListed);
  } finally {
    for (const node of nodes) node.kill('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function isServing(leader, ask) {
  for (let tries = 0; tries < 50; tries += 1) {
    const { role, ready } = await ask(leader, 'look');
    if (role === 'leader' && ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

function report(what, files, isListed) {
  process.stdout.write(`${what}: ${files.length} files\n`);
  if (isListed) process.stdout.write(files.map((file) => `  ${file}\n`).join(''));
}

async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
