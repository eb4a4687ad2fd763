import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import type { Disk } from '../../src/seams/disk.js';
import { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { SEGMENT_BYTES } from './log-on-disk.js';
import { chance } from './slow-disk.js';

/** A disk whose calls end in a later microtask. */
export const busyDisk = (seed: number): VirtualDisk =>
  new VirtualDisk({ schedule: (run) => queueMicrotask(run), random: chance(seed) });

/** The outcome of a call with a callback, as a promise. */
export const asked = <Value>(ask: (done: (error?: Error, value?: Value) => void) => void): Promise<Value> =>
  new Promise((resolve, reject) =>
    ask((error, value) => (error === undefined ? resolve(value as Value) : reject(error))),
  );

/** A life may end with the disk's error; never with a promise that was not kept. */
export function mustBeOfTheDisk(error: unknown): void {
  if (!(error instanceof Error && 'code' in error)) throw error;
}

/** Opens a node's data directory, with a log that keeps nothing in memory. */
export function openDirectory(disk: Disk): Promise<DataDirectory> {
  const whose = { clusterId: 'c', cluster: 'c', members: { n1: 'n1' }, nodeId: 'n1', makeIncarnation: () => 'one' };
  return asked((done) =>
    openDataDirectory({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, cacheBytes: 1, ...whose }, done),
  );
}
