/**
 * How long a cluster of three real processes takes from the loss of its leader to the next acknowledged write, with 64 writes in flight
 * and default settings. `node bench/failover.mjs [kills] [stops]` (50 and 10): a leader that is killed closes its sockets, one that is
 * stopped (SIGSTOP) does not and is found by its silence. Writes that are in flight to a stopped leader have no answer until their
 * callers give up, so a new one begins every 10 ms beside them. At the end every acknowledged write is read back.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect } from '../dist/src/client/node.js';

const PROGRAM = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const IN_FLIGHT = 64;
const [kills = 50, stops = 10] = process.argv.slice(2).map(Number);
const directory = mkdtempSync(path.join(tmpdir(), 'quorate-failover-'));
const ids = ['n1', 'n2', 'n3'];
const addressOf = (id) => `127.0.0.1:${7_660 + ids.indexOf(id)}`;
const peers = ids.map((id) => `${id}=${addressOf(id)}`).join(',');
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const children = new Map();

function run(id) {
  const flags = ['serve', '--id', id, '--listen', addressOf(id), '--peers', peers, '--data', path.join(directory, id)];
  children.set(id, spawn(process.execPath, [PROGRAM, ...flags, '--log-level', 'silent'], { stdio: 'ignore' }));
}

async function statusOf(id) {
  const answer = await fetch(`http://${addressOf(id)}/v1/status`, { signal: AbortSignal.timeout(500) }).catch(
    () => undefined,
  );
  return answer?.ok ? answer.json() : undefined;
}

/** The leader, once it serves and the others follow closely. */
async function leader() {
  for (;;) {
    const all = await Promise.all(ids.map(statusOf));
    const leads = all.find((one) => one?.role === 'leader');
    const follow = all.filter((one) => leads !== undefined && one?.leaderId === leads.id && one.term === leads.term);
    if (leads !== undefined && follow.length === 3 && all.every((one) => leads.commitIndex - one.lastApplied < 2_000))
      return leads.id;
    await sleep(20);
  }
}

const acknowledged = new Map();
let lastAt = 0;
let isOver = false;
let unknown = 0;

async function write(db, worker) {
  for (let n = 0; !isOver; n += 1) await put(db, `w${worker}/${n}`, `${worker}:${n}`);
}

async function beginOften(db) {
  const begun = [];
  for (let n = 0; !isOver; n += 1) {
    begun.push(put(db, `often/${n}`, `often:${n}`));
    await sleep(10);
  }
  await Promise.all(begun);
}

async function put(db, key, value) {
  try {
    await db.put(key, value, { timeoutMs: 5_000 });
    lastAt = performance.now();
    acknowledged.set(key, value);
  } catch (error) {
    unknown += 1;
    if (!['QUORATE_OUTCOME_UNKNOWN', 'QUORATE_NO_LEADER', 'QUORATE_NO_QUORUM'].includes(error.code)) throw error;
  }
}

async function lose(signal) {
  const id = await leader();
  await sleep(200 + Math.random() * 300);
  const child = children.get(id);
  const lostAt = performance.now();
  child.kill(signal);
  // What was acknowledged just before may still be under way to us.
  await sleep(2);
  while (lastAt < lostAt + 2) await sleep(0.5);
  const tookMs = lastAt - lostAt;
  if (signal === 'SIGSTOP') {
    await sleep(500);
    child.kill('SIGCONT');
  } else {
    if (child.signalCode === null) await once(child, 'exit');
    run(id);
  }
  return tookMs;
}

function told(what, times) {
  if (times.length === 0) return;
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(0);
  console.log(`${what}: ${times.length} times, median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(1)} ms`);
}

for (const id of ids) run(id);
try {
  await leader();
  const db = await connect(ids.map(addressOf));
  const writers = Array.from({ length: IN_FLIGHT }, (_, worker) => write(db, worker));
  writers.push(beginOften(db));
  await sleep(1_000);
  const [killed, stopped] = [[], []];
  for (let n = 0; n < kills; n += 1) killed.push(await lose('SIGKILL'));
  told('kill -9 to the next acknowledged write', killed);
  for (let n = 0; n < stops; n += 1) stopped.push(await lose('SIGSTOP'));
  told('SIGSTOP to the next acknowledged write', stopped);
  isOver = true;
  await Promise.all(writers);
  let wrong = 0;
  const items = new Map();
  for (let after; ; ) {
    const page = await db.list({ limit: 1_000, ...(after === undefined ? {} : { after }) });
    for (const { key, value } of page.items) items.set(key, Buffer.from(value).toString());
    if (page.next === null) break;
    after = page.next;
  }
  for (const [key, value] of acknowledged) if (items.get(key) !== value) wrong += 1;
  console.log(`${acknowledged.size} writes acknowledged, ${unknown} without an answer, ${wrong} wrong`);
  await db.close();
  if (wrong > 0) process.exitCode = 1;
} finally {
  for (const child of children.values()) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
