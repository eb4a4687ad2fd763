import { nodeChecksum } from '../../src/log/node-disk.js';
import { SnapshotFiles } from '../../src/log/snapshot-files.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { Snapshot, SnapshotMark } from '../../src/raft/snapshot.js';
import type { Disk } from '../../src/seams/disk.js';
import type {
  FoundSnapshots,
  IncomingSnapshot,
  SnapshotFile,
  SnapshotReader,
  SnapshotWriter,
} from '../../src/seams/snapshot-store.js';
import { outcome } from './log-on-disk.js';

export const mark = (index: number, term = 1): SnapshotMark => {
  return { index: asIndex(index), term: asTerm(term), timeMs: 1_000 + index, voters: ['n1', 'n2', 'n3'] };
};

const filled = (size: number, value: number): Uint8Array => new Uint8Array(size).fill(value);
export const image = [filled(10, 1), filled(3_000, 2), filled(0, 3), filled(70_000, 4)];

export const filesOn = (disk: Disk): SnapshotFiles => new SnapshotFiles({ disk, checksum: nodeChecksum });

/** What is answered at once. Throws the error where that is the answer. */
export function value<Value>(ask: (done: (error?: Error, value?: Value) => void) => void): Value {
  const answer = outcome<Value>(ask);
  if (answer.error !== undefined) throw answer.error;
  return answer.value as Value;
}

export const opened = (files: SnapshotFiles): FoundSnapshots => value((done) => files.open(done));

export function take(files: SnapshotFiles, at: SnapshotMark, chunks: readonly Uint8Array[] = image): Snapshot {
  const writer = value<SnapshotWriter>((done) => files.create(at, done));
  value((done) => writer.write(chunks.slice(0, 2), done));
  value((done) => writer.write(chunks.slice(2), done));
  return value((done) => writer.finish(done));
}

/** `given` is what came before the end, or before it failed. */
export function readAll(files: SnapshotFiles, snapshot: Snapshot, given: Uint8Array[] = []): readonly Uint8Array[] {
  const reader = value<SnapshotReader>((done) => files.read(snapshot, done));
  try {
    for (;;) {
      const chunk = value<Uint8Array | undefined>((done) => reader.next(done));
      if (chunk === undefined) return given;
      given.push(chunk.slice());
    }
  } finally {
    reader.close();
  }
}

export const fileOf = (files: SnapshotFiles, at: SnapshotMark, from = 0): SnapshotFile | undefined =>
  value<SnapshotFile | undefined>((done) => files.readFile(at, from, done));

/** The rest of a file, as a peer would be sent it. */
export function bytesOf(file: SnapshotFile): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = value<Uint8Array | undefined>((done) => file.next(done));
    if (piece === undefined) return new Uint8Array(Buffer.concat(pieces));
    pieces.push(piece);
  }
}

/** Takes a file in, in pieces of this size. */
export function receive(files: SnapshotFiles, at: SnapshotMark, bytes: Uint8Array, pieceBytes = 1_000): Snapshot {
  const incoming = value<IncomingSnapshot>((done) => files.receive(at, bytes.byteLength, done));
  for (let start = 0; start < bytes.byteLength; start += pieceBytes)
    value((done) => incoming.write(bytes.subarray(start, start + pieceBytes), done));
  return value((done) => incoming.finish(done));
}
