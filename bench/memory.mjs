/**
 * What the leader's memory does under a million puts of 256 bytes over 10,000 keys while one follower is dead: with Node.js's
 * default flags, resident memory as Linux counts it. `npm run build && node bench/memory.mjs [puts]`.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { connect } from '../dist/src/client/node.js';
import { startQuorate } from './quorate.mjs';

const PUTS = Number(process.argv[2] ?? 1_000_000);
const KEYS = 10_000;
const IN_FLIGHT = 256;
const value = new Uint8Array(256).fill(120);

function residentMb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [now, peak] = ['VmRSS', 'VmHWM'].map(
    (name) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024,
  );
  return { now, peak };
}

const directory = mkdtempSync(path.join(os.tmpdir(), 'quorate-memory-'));
const cluster = await startQuorate(directory);
let db;
try {
  const { pids, leaderPid, endpoints } = cluster;
  process.kill(
    pids.find((pid) => pid !== leaderPid),
    'SIGKILL',
  );
  db = await connect(endpoints);
  await db.put('bench/ready', value);
  const samples = [];
  let next = 0;
  const worker = async () => {
    while (next < PUTS) {
      const n = next;
      next += 1;
      await db.put(`bench/${String(n % KEYS).padStart(8, '0')}`, value);
      if (n % (PUTS / 20) === 0) samples.push({ puts: n, ...residentMb(leaderPid) });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  samples.push({ puts: PUTS, ...residentMb(leaderPid) });
  for (const { puts, now, peak } of samples) {
    process.stdout.write(`${String(puts).padStart(9)} puts  ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB\n`);
  }
} finally {
  await db?.close();
  await cluster.stop();
  rmSync(directory, { recursive: true, force: true });
}
