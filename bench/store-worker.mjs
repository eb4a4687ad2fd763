/** One design of the key-value store under load, in a process of its own: what `bench/store.mjs` starts. Sends what it measured to its parent. */
import { once } from 'node:events';
import { createWriteStream, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { keyValueCommandCodec } from '../dist/src/key-value/codec.js';
import { KeyValueStore } from '../dist/src/key-value/store.js';
import { MapStore } from './map-store.mjs';

const [design, keysGiven, valueBytesGiven, secondsGiven] = process.argv.slice(2);
const keys = Number(keysGiven);
const value = new Uint8Array(Number(valueBytesGiven)).fill(120);
const seconds = Number(secondsGiven);
const BATCH = 256;

const store = design === 'map' ? new MapStore() : new KeyValueStore();
const decode = design === 'map' ? (bytes) => store.decode(bytes) : (bytes) => store.decodeInPlace(bytes);
let index = 0;
let random = 1;

const keyOf = (n) => `bench/${String(n).padStart(8, '0')}`;

/** Xorshift: the same keys for both designs. */
function randomKey() {
  random ^= random << 13;
  random ^= random >>> 17;
  random ^= random << 5;
  return keyOf((random >>> 0) % keys);
}

/** A batch as the log hands it out: commands in one array of bytes. Made outside of what is measured. */
function batchOf(nextKey) {
  const commands = Array.from({ length: BATCH }, () =>
    keyValueCommandCodec.encode({ kind: 'put', key: nextKey(), value }),
  );
  const frame = new Uint8Array(commands.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let end = 0;
  return commands.map((command) => {
    frame.set(command, end);
    end += command.byteLength;
    return frame.subarray(end - command.byteLength, end);
  });
}

/** Decodes and applies a batch. Returns how long that took, ms. */
function put(batch) {
  const began = performance.now();
  store.apply(batch.map((bytes) => ({ index: ++index, term: 1, timeMs: 0, command: decode(bytes) })));
  return performance.now() - began;
}

/** Puts, with a turn of the event loop between two batches, until `isOver`. */
async function putUntil(isOver, nextKey) {
  let puts = 0;
  let busyMs = 0;
  while (!isOver()) {
    busyMs += put(batchOf(nextKey));
    puts += BATCH;
    await turn();
  }
  return { puts, putsPerSecond: (puts / busyMs) * 1_000 };
}

const resident = (name) =>
  Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024;

/** The longest time that the event loop did not come round, ms. */
async function watched(work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const result = await work();
  delay.disable();
  return { ...result, longestPauseMs: delay.max / 1e6 };
}

async function writeImage(file) {
  const began = performance.now();
  const capture = store.capture();
  const captureMs = performance.now() - began;
  const stream = createWriteStream(file);
  let bytes = 0;
  for (const chunk of capture.chunks()) {
    bytes += chunk.byteLength;
    if (!stream.write(chunk)) await once(stream, 'drain');
    await turn();
  }
  stream.end();
  await once(stream, 'finish');
  capture.release();
  return { captureMs, bytes, seconds: (performance.now() - began) / 1_000 };
}

async function withImage() {
  const file = path.join(os.tmpdir(), `quorate-store-${process.pid}`);
  let image;
  const writing = writeImage(file).then((written) => {
    image = written;
  });
  try {
    const result = await putUntil(() => image !== undefined, randomKey);
    await writing;
    return { ...result, image };
  } finally {
    rmSync(file, { force: true });
  }
}

const lasting = (ms) => {
  const endMs = performance.now() + ms;
  return () => performance.now() >= endMs;
};

let filled = 0;
const filling = await putUntil(
  () => filled >= keys,
  () => keyOf(filled++ % keys),
);
await turn();
const residentFilled = resident('VmRSS');
await putUntil(lasting(2_000), randomKey);
const plain = await watched(() => putUntil(lasting(seconds * 1_000), randomKey));
const capturing = await watched(withImage);
const data = store.size * (value.byteLength + keyOf(0).length);
const measured = {
  design,
  data,
  filling,
  residentFilled,
  plain,
  capturing,
  residentAfter: resident('VmRSS'),
  residentMost: resident('VmHWM'),
  bytesHeld: store.bytesHeld,
};
process.stdout.write(`${JSON.stringify(measured)}\n`);
