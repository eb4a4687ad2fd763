/**
 * Snapshots of a large store under writes, on three nodes, each in a process of its own: how long turns of the leader's event loop take and how
 * long followers hear nothing, with a snapshot being taken and without; memory and disk for the data; how long a restart takes.
 * `npm run build && node bench/snapshots.mjs [keys] [seconds] [nodes]`, by default 2,000,000 keys with values of 256 bytes, 10 s, 3 nodes.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const KEYS = Number(process.argv[2] ?? 2_000_000);
const SECONDS = Number(process.argv[3] ?? 10);
const NODES = Number(process.argv[4] ?? 3);
const ENTRY_BYTES = 16 + 256;
const SNAPSHOT_LOG_BYTES = 64 * 1024 * 1024;
const FIRST_PORT = 17_810;
const NODE = fileURLToPath(new URL('snapshot-node.mjs', import.meta.url));

const directory = mkdtempSync(path.join(os.tmpdir(), 'quorate-snapshots-'));
const peers = Object.fromEntries(
  Array.from({ length: NODES }, (_, at) => [`n${at + 1}`, `127.0.0.1:${FIRST_PORT + at}`]),
);
const nodes = new Map();
const mb = (bytes) => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;
const print = (line) => process.stdout.write(`${line}\n`);

function start(id) {
  const child = fork(NODE, [id, JSON.stringify(peers), path.join(directory, id), String(SNAPSHOT_LOG_BYTES)]);
  const waiting = new Map();
  const answerTo = (act) => new Promise((resolve) => waiting.set(act, resolve));
  child.on('message', ({ act, ...answer }) => waiting.get(act)?.(answer));
  const ask = (act, given = {}) => {
    const answered = answerTo(act);
    child.send({ act, ...given });
    return answered;
  };
  nodes.set(id, { ask, child });
  return answerTo('ready');
}

async function leader() {
  for (;;) {
    for (const [id, { ask }] of nodes) if ((await ask('state')).role === 'leader') return id;
    await pause(50);
  }
}

try {
  await Promise.all(Object.keys(peers).map(start));
  await pause(1_000);
  const id = await leader();
  const { ask } = nodes.get(id);
  const follower = nodes.get([...nodes.keys()].find((other) => other !== id) ?? id).ask;
  const filledAt = performance.now();
  await ask('fill', { from: 0, to: KEYS });
  const data = KEYS * ENTRY_BYTES;
  print(
    `${KEYS.toLocaleString('en')} keys, ${mb(data)}, filled in ${((performance.now() - filledAt) / 1_000).toFixed(1)} s`,
  );

  await ask('overwrite', { keys: KEYS });
  await pause(2_000);
  const measure = async (what, during) => {
    await ask('begin');
    await follower('begin');
    const told = await during();
    const { longestTurnMs, p99TurnMs, puts } = await ask('measured');
    const { longestSilenceMs } = await follower('measured');
    const turns = `turns p99 ${p99TurnMs.toFixed(1)} ms, longest ${longestTurnMs.toFixed(1)} ms`;
    print(`${what}: ${turns}; followers heard nothing for ${longestSilenceMs.toFixed(1)} ms at the most; ${puts} puts`);
    return told;
  };
  await measure(`without a snapshot, ${SECONDS} s`, () => pause(SECONDS * 1_000));
  const taken = await measure('while one is taken', () => ask('snapshot'));
  print(
    `it has ${mb(taken.bytes)}, and took ${(taken.tookMs / 1_000).toFixed(1)} s (${mb(taken.bytes / (taken.tookMs / 1_000))}/s)`,
  );
  await measure(`without a snapshot again, ${SECONDS} s`, () => pause(SECONDS * 1_000));
  await ask('stop');
  await pause(500);
  for (const [name, one] of nodes) {
    const { residentBytes, logBytes, snapshotBytes, firstIndex } = await one.ask('state');
    const ratios = `${(residentBytes / data).toFixed(1)} of memory, ${((logBytes + snapshotBytes) / data).toFixed(1)} of disk, times the data`;
    print(
      `${name === id ? 'leader' : 'follower'}: ${mb(residentBytes)} resident, log ${mb(logBytes)} from ${firstIndex}, snapshots ${mb(snapshotBytes)}: ${ratios}`,
    );
  }
  await ask('close');
  await pause(1_000);
  await start(id);
  const opened = await nodes.get(id).ask('opened');
  print(`restart: ${(opened.openedMs / 1_000).toFixed(1)} s until it follows`);
} finally {
  for (const { child } of nodes.values()) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
}
