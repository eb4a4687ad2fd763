/** One node of bench/snapshots.mjs: it does what its parent says, and answers with what it measured. */
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { KeyValueStore, ReplicaNode } from '../dist/src/index.js';

const [id, peersText, dataDir, snapshotLogBytes] = process.argv.slice(2);
const IN_FLIGHT = 256;
const begunAt = performance.now();
const node = await ReplicaNode.open({
  id,
  peers: JSON.parse(peersText),
  dataDir,
  stateMachine: new KeyValueStore(),
  logger: false,
  snapshotLogBytes: Number(snapshotLogBytes),
});
const openedMs = performance.now() - begunAt;
const delays = monitorEventLoopDelay({ resolution: 1 });
const value = new Uint8Array(256).fill(120);
let isWriting = false;
let puts = 0;
let longestSilenceMs = 0;
let heardAtMs = 0;
setInterval(() => {
  const { leaderHeardAtMs } = node.state;
  if (leaderHeardAtMs > heardAtMs && heardAtMs > 0)
    longestSilenceMs = Math.max(longestSilenceMs, leaderHeardAtMs - heardAtMs);
  heardAtMs = Math.max(heardAtMs, leaderHeardAtMs);
}, 1);

const key = (number) => `bench/${String(number).padStart(10, '0')}`;
/** A machine that is busy with other things may depose a leader: what was not done is tried again. */
async function put(number) {
  for (;;) {
    try {
      return await node.propose({ kind: 'put', key: key(number), value }, { timeoutMs: 60_000 });
    } catch (error) {
      if (error.code === 'QUORATE_CLOSED') return undefined;
    }
  }
}

async function inParallel(next) {
  const worker = async () => {
    for (let number = next(); number !== undefined; number = next()) await put(number);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const sizeOf = (prefix) =>
  readdirSync(dataDir)
    .filter((name) => name.startsWith(prefix))
    .reduce((sum, name) => sum + statSync(path.join(dataDir, name)).size, 0);

const acts = {
  opened: () => ({ openedMs, applied: node.state.lastApplied, role: node.state.role }),
  async fill({ from, to }) {
    let number = from;
    await inParallel(() => (number < to ? number++ : undefined));
    return {};
  },
  /** Overwrites until it is told to stop. */
  overwrite({ keys }) {
    isWriting = true;
    void inParallel(() => {
      puts += 1;
      return isWriting ? Math.floor(Math.random() * keys) : undefined;
    });
    return {};
  },
  stop() {
    isWriting = false;
    return {};
  },
  begin() {
    delays.enable();
    delays.reset();
    puts = 0;
    longestSilenceMs = 0;
    return {};
  },
  measured() {
    return { longestTurnMs: delays.max / 1e6, p99TurnMs: delays.percentile(99) / 1e6, puts, longestSilenceMs };
  },
  snapshot: () => node.snapshot({ timeoutMs: 600_000 }),
  state: () => ({
    role: node.state.role,
    applied: node.state.lastApplied,
    firstIndex: node.status().firstLogIndex,
    residentBytes: process.memoryUsage.rss(),
    logBytes: sizeOf('log-'),
    snapshotBytes: sizeOf('snapshot-'),
  }),
  async close() {
    await node.close();
    setImmediate(() => process.exit());
    return {};
  },
};

process.on('message', async ({ act, ...given }) => {
  process.send({ act, ...(await acts[act](given)) });
});
process.send({ act: 'ready' });
