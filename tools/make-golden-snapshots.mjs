/**
 * Writes a data directory whose log has been trimmed behind a snapshot, to be kept and read by every later version:
 * `npm run build && node tools/make-golden-snapshots.mjs test/golden/snapshots-1`. Never over one that is kept already.
 */
import { existsSync } from 'node:fs';
import { openDataDirectory } from '../dist/src/log/data-directory.js';
import { NodeDisk, nodeChecksum } from '../dist/src/log/node-disk.js';
import { systemClock } from '../dist/src/node/system-clock.js';

const [directory] = process.argv.slice(2);
if (directory === undefined || existsSync(directory)) throw new Error('name a directory that does not exist yet');

const settle = (run) =>
  new Promise((resolve, reject) => run((error, value) => (error === undefined ? resolve(value) : reject(error))));
const utf8 = new TextEncoder();
const entry = (index) => ({
  ...{ kind: 'command', index, term: 2, timeMs: 1_700_000_000_000 + index, sessionId: 0, sequence: 0, lowWater: 0 },
  payload: utf8.encode(`${index} ${'x'.repeat(1_000)}`),
});

const { log, snapshots, unlock } = await settle((done) =>
  openDataDirectory(
    {
      ...{ clusterId: 'golden', cluster: 'golden', members: { n1: '127.0.0.1:7401' }, nodeId: 'n1' },
      makeIncarnation: () => '00112233445566778899aabbccddeeff',
      ...{ segmentBytes: 8 * 1024, disk: new NodeDisk(directory, systemClock), checksum: nodeChecksum },
    },
    done,
  ),
);
await settle((done) => log.open(done));
const write = async (...records) => {
  log.append(records);
  await settle((done) => log.sync(done));
};
await write({ kind: 'vote', term: 2, votedFor: 'n1' });
for (let index = 1; index <= 12; index += 1) await write({ kind: 'entries', entries: [entry(index)] });
await write({ kind: 'commit', index: 12 });
const mark = { index: 10, term: 2, timeMs: 1_700_000_000_010, voters: ['n1', 'n2', 'n3'] };
const writer = await settle((done) => snapshots.create(mark, done));
await settle((done) => writer.write([utf8.encode('the first piece'), utf8.encode('the second, ключ/😀')], done));
await settle((done) => writer.finish(done));
log.trim(10, 0);
await settle((done) => log.close(done));
await settle((done) => unlock(done));
