import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import { NodeDisk, nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import { systemClock } from '../../src/node/system-clock.js';
import { describeLogStore } from './log-store.conformance.js';
import { quickDisk } from './slow-disk.js';

/** So small that the tests fill many segments, and read almost everything from disk. */
const small = { checksum: nodeChecksum, segmentBytes: 8 * 1024, cacheBytes: 1_000 };

describeLogStore('MemoryLogStore', () => {
  const store = new MemoryLogStore((done) => queueMicrotask(done));
  return { store: () => store, clear: () => undefined };
});

describeLogStore('SegmentedLog on a virtual disk', () => {
  const disk = quickDisk();
  return { store: () => new SegmentedLog({ disk, ...small }), clear: () => undefined };
});

describeLogStore('SegmentedLog on a real disk', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'quorate-log-'));
  const disk = new NodeDisk(directory, systemClock);
  return {
    store: () => new SegmentedLog({ disk, ...small }),
    clear: () => rmSync(directory, { recursive: true }),
  };
});
