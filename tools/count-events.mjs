/**
 * Counts the events that a put costs in the charts of a leader and its followers, with one put in flight: three nodes in this
 * process, over sockets, each with a directory of its own. What the nodes do without any put is measured first, and left out.
 * `npm run build && node tools/count-events.mjs [--puts 500] [--each]`: `--each` lists every event by its actor and type.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { KeyValueStore, ReplicaNode } from '../dist/src/index.js';

const { values } = parseArgs({ options: { puts: { type: 'string', default: '500' }, each: { type: 'boolean' } } });
const puts = Number(values.puts);
const IDLE_MS = 3_000;

const directory = mkdtempSync(path.join(tmpdir(), 'quorate-count-'));
const ids = ['a', 'b', 'c'];
const ports = await Promise.all(ids.map(freePort));
const peers = Object.fromEntries(ids.map((id, at) => [id, `127.0.0.1:${ports[at]}`]));
const counts = new Map(ids.map((id) => [id, new Map()]));
const nodes = await Promise.all(ids.map(open));
try {
  const leader = await servingLeader();
  for (let n = 0; n < 50; n += 1) await put(leader, n);
  const idle = await countWhile(() => new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  const busy = await countWhile(async () => {
    for (let n = 0; n < puts; n += 1) await put(leader, n);
  });
  report(leader, idle, busy);
} finally {
  await Promise.all(nodes.map((node) => node.close()));
  rmSync(directory, { recursive: true, force: true });
}

function open(id) {
  const inspect = (seen) => {
    if (seen.type !== '@xstate.event') return;
    const count = counts.get(id);
    const name = `${nameOf(seen.actorRef)} ${seen.event.type}`;
    count.set(name, (count.get(name) ?? 0) + 1);
  };
  const dataDir = path.join(directory, id);
  return ReplicaNode.open({ id, peers, dataDir, stateMachine: new KeyValueStore(), inspect, logger: false });
}

/** `link`, say, for the links to all peers. */
function nameOf({ id, sessionId, _parent }) {
  if (_parent === undefined) return 'replica';
  const name = id === sessionId ? 'actor' : String(id).split('.')[0];
  return /^\d*$/.test(name) ? 'actor' : name;
}

async function servingLeader() {
  for (;;) {
    const leader = nodes.find((node) => node.actor.getSnapshot().hasTag('writable'));
    if (leader !== undefined) return leader;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function put(node, n) {
  return node.propose({ kind: 'put', key: `key ${n % 100}`, value: Buffer.alloc(256) });
}

/** What was counted, and in how long (ms). */
async function countWhile(work) {
  for (const count of counts.values()) count.clear();
  const from = performance.now();
  await work();
  const tookMs = performance.now() - from;
  return { tookMs, counts: new Map([...counts].map(([id, count]) => [id, new Map(count)])) };
}

function report(leader, idle, busy) {
  const roles = [
    ['leader', [leader.state.id]],
    ['each follower', ids.filter((id) => id !== leader.state.id)],
  ];
  const rows = new Map();
  let all = 0;
  for (const [role, members] of roles) {
    let total = 0;
    for (const id of members) {
      for (const [name, count] of busy.counts.get(id)) {
        const background = ((idle.counts.get(id).get(name) ?? 0) / idle.tookMs) * busy.tookMs;
        const perPut = (count - background) / puts;
        rows.set(`${role}: ${name}`, (rows.get(`${role}: ${name}`) ?? 0) + perPut / members.length);
        total += perPut;
      }
    }
    all += total;
    line(role, total / members.length);
  }
  line('all three nodes', all);
  for (const [role, members] of roles) {
    const events = members.map((id) => [...idle.counts.get(id).values()].reduce((sum, count) => sum + count, 0));
    line(
      `${role}, idle, a second`,
      events.reduce((sum, count) => sum + count, 0) / members.length / (idle.tookMs / 1_000),
    );
  }
  if (values.each)
    for (const [name, perPut] of [...rows].sort((x, y) => y[1] - x[1])) if (perPut > 0.01) line(`  ${name}`, perPut);
}

function line(what, number) {
  process.stdout.write(`${what.padEnd(44)} ${number.toFixed(2).padStart(8)}\n`);
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
