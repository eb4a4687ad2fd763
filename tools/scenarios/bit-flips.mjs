// Chooses bits of a data directory's files to turn over. Both kinds of scenario use it: of virtual disks and of real files.
import { crc32 } from 'node:zlib';
import { BATCH_HEADER_BYTES, HEADER_BYTES, readBatchHeader } from '../../dist/src/log/segment-format.js';

/** Where a bit of a log's files turns over. Every run of the scenario takes the next one. */
export const LOG_REGIONS = ['last batch', 'middle batch', 'segment header', 'zeros', 'identity', 'addresses'];

/** A file with its bits turned over. */
const flip = (bytes, places) => {
  const flipped = Uint8Array.from(bytes);
  for (const { at, bit } of places) flipped[at] ^= 1 << bit;
  return flipped;
};

/**
 * `files` are the directory's, by name; `random` is in [0, 1). Returns the changed file, and in words what was changed; undefined where there
 * is nothing of this region.
 */
export function flipInLog(files, region, random) {
  const names = Object.keys(files);
  const whole = { identity: 'identity.json', addresses: 'addresses.json' }[region];
  if (whole !== undefined) {
    if (files[whole] === undefined) return undefined;
    return flipped(files, whole, { start: 0, end: files[whole].byteLength }, region, random);
  }
  const salt = crc32(Buffer.from(JSON.parse(Buffer.from(files['identity.json']).toString()).incarnation));
  const segments = names.filter((name) => /^log-\d+$/.test(name)).sort();
  const begun = segments.filter((name) => files[name].subarray(0, 4).some((byte) => byte !== 0));
  if (region === 'segment header')
    return flipped(files, pick(begun, random), { start: 0, end: HEADER_BYTES }, region, random);
  const last = begun.at(-1);
  const batches = batchesOf(files[last], Number(last.slice(4)), salt);
  const end = batches.at(-1)?.end ?? HEADER_BYTES;
  if (region === 'zeros') return flipped(files, last, { start: end, end: files[last].byteLength }, region, random);
  if (region === 'last batch')
    return batches.length === 0 ? undefined : flipped(files, last, batches.at(-1), region, random);
  const middle = batches.slice(0, -1);
  return middle.length === 0 ? undefined : flipped(files, last, pick(middle, random), region, random);
}

/** One to three bits of one snapshot, most often of the newest. */
export function flipInSnapshot(files, random) {
  const names = Object.keys(files)
    .filter((name) => /^snapshot-\d+$/.test(name))
    .sort();
  if (names.length === 0) return undefined;
  const name = random() < 0.7 ? names.at(-1) : pick(names, random);
  const inHeader = random() < 0.3;
  const part = {
    start: inHeader ? 0 : Math.min(8_192, files[name].byteLength - 1),
    end: inHeader ? 64 : files[name].byteLength,
  };
  return flipped(files, name, part, 'snapshot', random, 1 + Math.floor(random() * 3));
}

function flipped(files, name, { start, end }, region, random, count = 1) {
  if (end <= start) return undefined;
  const places = Array.from({ length: count }, () => {
    return { at: start + Math.floor(random() * (end - start)), bit: Math.floor(random() * 8) };
  });
  const what = `${region}: ${name} at ${places.map(({ at, bit }) => `${at}.${bit}`).join(', ')}`;
  return { name, bytes: flip(files[name], places), what };
}

function batchesOf(bytes, segmentId, salt) {
  const batches = [];
  for (let at = HEADER_BYTES; ; ) {
    const header = readBatchHeader(bytes, at, crc32, salt);
    if (header === undefined || header.segmentId !== segmentId) return batches;
    const end = at + BATCH_HEADER_BYTES + header.payloadBytes;
    batches.push({ start: at, end });
    at = end;
  }
}

export const pick = (values, random) => values[Math.floor(random() * values.length)];
