import { nodeChecksum } from '../../src/log/node-disk.js';
import { SegmentedLog } from '../../src/log/segmented-log.js';
import type { Entry, LogRecord } from '../../src/raft/messages.js';
import { asIndex } from '../../src/raft/numbers-and-ids.js';
import type { Recovered } from '../../src/seams/log-store.js';
import type { SnapshotStore } from '../../src/seams/snapshot-store.js';
import { textOf } from '../../src/testing/conformance/log-store-calls.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';

export const SEGMENT_BYTES = 8 * 1024;

/** A segmented log on a disk that does everything at once, so that a test is a plain sequence. */
export class LogOnDisk {
  readonly log: SegmentedLog;
  readonly recovered: Recovered;

  /** Throws the error that the log was refused with. */
  constructor(
    disk: VirtualDisk,
    options: { segmentBytes?: number; cacheBytes?: number; cacheEntries?: number; snapshots?: SnapshotStore } = {},
  ) {
    this.log = new SegmentedLog({ disk, checksum: nodeChecksum, segmentBytes: SEGMENT_BYTES, ...options });
    const { error, value } = outcome<Recovered>((done) => this.log.open(done));
    if (value === undefined) throw error;
    this.recovered = value;
  }

  /** One batch, durable when this returns. */
  write(...records: readonly LogRecord[]): this {
    this.log.append(records);
    const { error } = outcome((done) => this.log.sync(done));
    if (error !== undefined) throw error;
    return this;
  }

  close(): void {
    const { error } = outcome((done) => this.log.close(done));
    if (error !== undefined) throw error;
  }

  read(from: number, limits = { maxEntries: 1_000, maxBytes: 2 ** 20 }): readonly Entry[] {
    const { error, value } = outcome<readonly Entry[]>((done) => this.log.read(asIndex(from), limits, done));
    if (value === undefined) throw error;
    return value;
  }

  texts(): readonly string[] {
    const all: string[] = [];
    for (;;) {
      const piece = this.read(all.length + 1);
      if (piece.length === 0) return all;
      all.push(...piece.map(textOf));
    }
  }
}

export function outcome<Value = void>(
  ask: (done: (error?: Error, value?: Value) => void) => void,
): {
  error?: Error | undefined;
  value?: Value | undefined;
} {
  const answers: { error?: Error | undefined; value?: Value | undefined }[] = [];
  ask((error, value) => answers.push({ error, value }));
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) throw new Error(`${answers.length} answers instead of one`);
  return answer;
}
