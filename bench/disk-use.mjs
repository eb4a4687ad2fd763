/**
 * How much disk a node of a large store takes while its values are overwritten for long, and how long a restart takes then: one node, in a process
 * of its own. `npm run build && node bench/disk-use.mjs [keys] [seconds]`, by default 2,000,000 keys with values of 256 bytes, 120 s.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const KEYS = Number(process.argv[2] ?? 2_000_000);
const SECONDS = Number(process.argv[3] ?? 120);
const ENTRY_BYTES = 16 + 256;
const SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;
const PORT = 17_830;
const EVERY_MS = 100;
const NODE = fileURLToPath(new URL('snapshot-node.mjs', import.meta.url));

const directory = mkdtempSync(path.join(os.tmpdir(), 'quorate-disk-use-'));
const mb = (bytes) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
const print = (line) => process.stdout.write(`${line}\n`);
let child;

function start() {
  child = fork(NODE, ['n1', JSON.stringify({ n1: `127.0.0.1:${PORT}` }), directory, String(SNAPSHOT_LOG_BYTES)]);
  return answered('ready');
}

function answered(act) {
  return new Promise((resolve) => {
    const hear = ({ act: of, ...answer }) => {
      if (of !== act) return;
      child.off('message', hear);
      resolve(answer);
    };
    child.on('message', hear);
  });
}

function ask(act, given = {}) {
  const answer = answered(act);
  child.send({ act, ...given });
  return answer;
}

/** By the beginning of the files' names. A file may go while it is looked at. */
function sizeOf(prefix) {
  const bytes = (name) => statSync(path.join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  return readdirSync(directory)
    .filter((name) => name.startsWith(prefix))
    .reduce((sum, name) => sum + bytes(name), 0);
}

try {
  await start();
  const data = KEYS * ENTRY_BYTES;
  await ask('fill', { from: 0, to: KEYS });
  print(`${KEYS.toLocaleString('en')} keys, ${mb(data)}`);
  await ask('begin');
  await ask('overwrite', { keys: KEYS });
  let [most, sum, samples] = [0, 0, 0];
  let at = {};
  const names = new Set();
  for (const sinceMs = performance.now(); performance.now() - sinceMs < SECONDS * 1_000; samples += 1) {
    for (const name of readdirSync(directory)) if (/^snapshot-/.test(name)) names.add(name);
    const [log, snapshots] = [sizeOf('log-'), sizeOf('snapshot')];
    sum += log + snapshots;
    if (log + snapshots > most) [most, at] = [log + snapshots, { log, snapshots }];
    await pause(EVERY_MS);
  }
  const { puts } = await ask('measured');
  await ask('stop');
  const times = (bytes) => `${mb(bytes)}, ${(bytes / data).toFixed(2)} times the data`;
  print(`${puts.toLocaleString('en')} overwrites in ${SECONDS} s, ${names.size} snapshots`);
  print(
    `disk: on average ${times(sum / samples)}; at the most ${times(most)}: log ${mb(at.log)}, snapshots ${mb(at.snapshots)}`,
  );
  await ask('close');
  await pause(1_000);
  child.kill('SIGKILL');
  await start();
  const { openedMs } = await ask('opened');
  print(`restart: ${(openedMs / 1_000).toFixed(1)} s`);
} finally {
  child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
