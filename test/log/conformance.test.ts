import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { systemClock } from '../../src/node/system-clock.js';
import {
  diskConformance,
  diskPowerCutConformance,
  logStoreConformance,
  logStoreFaultConformance,
} from '../../src/testing/index.js';
import { conforms } from '../testing/conforms.js';
import { quickDisk } from './slow-disk.js';

/** So small that the suite fills many segments, and reads almost everything from disk. */
const small = { checksum: nodeChecksum, segmentBytes: 8 * 1024, cacheBytes: 1_000 };

/** A directory of the real file system. */
function temporary(): { readonly directory: string; clear(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-log-'));
  return { directory, clear: () => rmSync(directory, { recursive: true }) };
}

const nothing = (): void => undefined;

conforms(
  'MemoryLogStore is a log store',
  logStoreConformance(() => {
    const store = new MemoryLogStore((done) => queueMicrotask(done));
    return { store: () => store, clear: nothing };
  }),
);

conforms(
  'SegmentedLog on a virtual disk is a log store',
  logStoreConformance(() => {
    const disk = quickDisk();
    return { store: () => new SegmentedLog({ disk, ...small }), clear: nothing };
  }),
);

conforms(
  'SegmentedLog on a real disk is a log store',
  logStoreConformance(() => {
    const { directory, clear } = temporary();
    const disk = new NodeDisk(directory, systemClock);
    return { store: () => new SegmentedLog({ disk, ...small }), clear };
  }),
);

conforms(
  'SegmentedLog on a disk that fails',
  logStoreFaultConformance(() => {
    const disk = quickDisk();
    return {
      store: () => new SegmentedLog({ disk, ...small }),
      failNextSync: () => disk.failNext('sync', 'EIO'),
      cutPower: () => disk.crash(),
      clear: nothing,
    };
  }),
);

conforms(
  'NodeDisk is a disk',
  diskConformance(() => {
    const { directory, clear } = temporary();
    return { disk: () => new NodeDisk(path.join(directory, 'data', 'n1'), systemClock), clear };
  }),
);

conforms(
  'VirtualDisk is a disk',
  diskConformance(() => {
    const disk = quickDisk();
    return { disk: () => disk, clear: nothing };
  }),
);

for (const seed of [1, 2, 3]) {
  conforms(
    `VirtualDisk is a disk whose power may be cut (seed ${seed})`,
    diskPowerCutConformance(() => {
      const disk = quickDisk(seed);
      return { disk: () => disk, cutPower: () => disk.crash(), clear: nothing };
    }),
  );
}
