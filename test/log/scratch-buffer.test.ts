import { describe, expect, test } from '@jest/globals';
import type { Entry } from '../../src/raft/messages.js';
import { entry } from '../../src/testing/conformance/records-to-write.js';
import { ByteReader, ByteWriter } from '../../src/wire/bytes.js';
import { EntryEncoder, encodedEntriesBytes, readEntries } from '../../src/wire/records.js';
import { ScratchBuffer } from '../../src/wire/scratch-buffer.js';

const MIB = 1024 * 1024;

function written(encoder: EntryEncoder, entries: readonly Entry[], scratch?: ScratchBuffer): Uint8Array {
  const size = encodedEntriesBytes(entries);
  const writer = new ByteWriter(size, scratch?.take(size));
  encoder.write(writer, entries);
  return writer.bytes;
}

describe('memory that batches share', () => {
  test('entries that were written into it are written right again after others have taken their place', () => {
    const encoder = new EntryEncoder();
    const scratch = new ScratchBuffer(encoder);
    const [first, second] = [[entry(1, 1, 'a'.repeat(90))], [entry(2, 1, 'b'.repeat(90))]];
    written(encoder, first, scratch);
    // A batch without entries, as a vote is: the encoder itself writes nothing.
    scratch.take(200).fill(0xff);
    expect(readEntries(new ByteReader(written(encoder, first)), 1)).toEqual(first);
    written(encoder, second, scratch);
    scratch.giveAway();
    scratch.take(200).fill(0xff);
    expect(readEntries(new ByteReader(written(encoder, second)), 1)).toEqual(second);
  });

  test('what was taken last stays as it is once it is given away', () => {
    const encoder = new EntryEncoder();
    const scratch = new ScratchBuffer(encoder);
    const sent = written(encoder, [entry(1, 1, 'sent'.repeat(40))], scratch);
    const before = sent.slice();
    scratch.giveAway();
    scratch.take(sent.byteLength).fill(0xff);
    expect(sent).toEqual(before);
  });

  test('one batch after another lies in the same memory, and a very large one does not stay', () => {
    const scratch = new ScratchBuffer(new EntryEncoder());
    const { buffer } = scratch.take(1_000);
    expect(scratch.take(60_000).buffer).toBe(buffer);
    expect(scratch.take(8 * MIB).byteLength).toBe(8 * MIB);
    expect(scratch.take(2_000).buffer).toBe(buffer);
    expect(scratch.take(0).byteLength).toBe(0);
  });
});
