/**
 * Writes a data directory of the present format, to be kept and read by every later version:
 * `npm run build && node tools/make-golden-data.mjs test/golden/format-1`. Never over one that is kept already.
 */
import { existsSync } from 'node:fs';
import { keyValueCommandCodec } from '../dist/src/key-value/codec.js';
import { openDataDirectory } from '../dist/src/log/data-directory.js';
import { NodeDisk, nodeChecksum } from '../dist/src/log/node-disk.js';
import { systemClock } from '../dist/src/node/system-clock.js';

const [directory] = process.argv.slice(2);
if (directory === undefined || existsSync(directory)) throw new Error('name a directory that does not exist yet');

const promised = (run) =>
  new Promise((resolve, reject) => run((error, value) => (error === undefined ? resolve(value) : reject(error))));
const entry = (index, term, command) => {
  const kind = command === undefined ? 'no-op' : 'command';
  const payload = command === undefined ? new Uint8Array(0) : keyValueCommandCodec.encode(command);
  return { kind, index, term, timeMs: 1_700_000_000_000 + index, sessionId: 0, sequence: 0, lowWater: 0, payload };
};
const put = (key, text, condition) => {
  const value = new TextEncoder().encode(text);
  return { kind: 'put', key, value, ...(condition === undefined ? {} : { condition }) };
};

const members = { n1: '127.0.0.1:7401' };
const identity = {
  clusterId: 'golden',
  cluster: 'golden',
  members,
  nodeId: 'n1',
  makeIncarnation: () => '00112233445566778899aabbccddeeff',
};
const small = { segmentBytes: 8 * 1024, disk: new NodeDisk(directory, systemClock), checksum: nodeChecksum };
const { log, unlock } = await promised((done) => openDataDirectory({ ...identity, ...small }, done));
await promised((done) => log.open(done));
const write = async (...records) => {
  log.append(records);
  await promised((done) => log.sync(done));
};

await write({ kind: 'vote', term: 1, votedFor: 'n2' });
await write({
  kind: 'entries',
  entries: [entry(1, 1), entry(2, 1, put('a', 'one')), entry(3, 1, put('lost', 'never committed'))],
});
await write({ kind: 'vote', term: 3, votedFor: 'n1' });
await write(
  { kind: 'truncation', from: 3 },
  { kind: 'entries', entries: [entry(3, 3), entry(4, 3, put('b', 'x'.repeat(3_000)))] },
  { kind: 'commit', index: 2 },
);
await write({ kind: 'entries', entries: [entry(5, 3, put('c', 'y'.repeat(3_000))), entry(6, 3, put('a', 'two', 1))] });
await write({
  kind: 'entries',
  entries: [entry(7, 3, { kind: 'delete', key: 'c' }), entry(8, 3, put('ключ/😀', 'unicode', 'absent'))],
});
await write({ kind: 'commit', index: 8 });
await promised((done) => log.close(done));
await promised((done) => unlock(done));
