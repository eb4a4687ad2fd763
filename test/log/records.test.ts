import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Entry } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { commit, entries, entry, truncation, vote } from '../../src/testing/conformance/records-to-write.js';
import { ByteReader, ByteWriter, MalformedBytes } from '../../src/wire/bytes.js';
import type { StoredRecord } from '../../src/wire/records.js';
import {
  EntryEncoder,
  encodedEntriesBytes,
  encodedRecordBytes,
  readEntries,
  readRecord,
  writeRecord,
} from '../../src/wire/records.js';

const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));
const anyEntry: fc.Arbitrary<Entry> = fc.record({
  kind: fc.constantFrom('command' as const, 'no-op' as const, 'configuration' as const, 'session' as const),
  index: number.map(asIndex),
  term: number.map(asTerm),
  timeMs: number,
  sessionId: number,
  sequence: number,
  lowWater: number,
  payload: fc.uint8Array({ maxLength: 64 }),
});

const encoder = new EntryEncoder();

function bytesOf(list: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter(encodedEntriesBytes(list));
  encoder.write(writer, list);
  return writer.bytes;
}

function encoded(record: StoredRecord): Uint8Array {
  const writer = new ByteWriter(encodedRecordBytes(record));
  writeRecord(writer, record, encoder);
  expect(writer.position).toBe(writer.bytes.byteLength);
  return writer.bytes;
}

function decoded(bytes: Uint8Array): StoredRecord {
  const reader = new ByteReader(bytes);
  const record = readRecord(reader);
  reader.end();
  return record;
}

describe('entries and records as bytes', () => {
  test('an entry comes back field by field, up to the largest numbers', () => {
    fc.assert(
      fc.property(anyEntry, (one) => {
        expect(readEntries(new ByteReader(bytesOf([one])), 1)).toEqual([one]);
      }),
      { seed: 1 },
    );
  });

  test("an entry's layout does not change: what is on users' disks must stay readable", () => {
    const bytes = bytesOf([{ ...entry(2 ** 32 + 1, 3, 'hi'), timeMs: 4, sequence: 5, lowWater: 6 }]);
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const kindAndGroup = '0000000000';
    const numbers = ['0300000000000000', '0100000001000000', '0400000000000000', '0700000000000000'];
    const session = ['0500000000000000', '0600000000000000'];
    expect(hex).toBe([kindAndGroup, ...numbers, ...session, '02000000', '6869'].join(''));
  });

  test('entries are the same bytes whoever writes them, however often, and behind whatever was written or read before', () => {
    const [one, two, three] = [entry(1, 1, 'a'), entry(2, 1, 'bb'), entry(3, 1, 'ccc')] as const;
    const [before, other] = [entry(1, 1, 'z'), entry(2, 2, 'of a later term')];
    const lists = [
      [one, two, three],
      [one, two],
      [one, other],
      [before, other],
      [two, three],
      [one, two, three],
      [one],
      [],
    ];
    const apart = lists.map((list) => list.flatMap((each) => [...bytesOf([{ ...each }])]));
    lists.forEach((list, at) => {
      expect([...bytesOf(list)]).toEqual(apart[at]);
      expect([...bytesOf([...list])]).toEqual(apart[at]);
    });
    lists.forEach((list, at) => {
      const frame = new Uint8Array([9, ...bytesOf(list), 9]);
      for (const read of [readEntries, encoder.read.bind(encoder)])
        expect([...bytesOf(read(new ByteReader(frame, 1), list.length))]).toEqual(apart[at]);
    });
  });

  const records: readonly StoredRecord[] = [
    entries(1, 3, 2),
    truncation(5),
    vote(7, 'n2'),
    vote(8, null),
    commit(9),
    { kind: 'closed' },
  ];

  test.each(records.map((record) => [record.kind, record] as const))('a record of %s comes back', (_, record) => {
    expect(decoded(encoded(record))).toEqual(record);
  });

  test.each(records.map((record) => [record.kind, record] as const))(
    'a record of %s that is cut anywhere is malformed',
    (_, record) => {
      const bytes = encoded(record);
      for (let cut = 0; cut < bytes.byteLength; cut += 1) {
        expect(() => decoded(bytes.subarray(0, cut))).toThrow(MalformedBytes);
      }
    },
  );

  test('bytes that nobody encoded are malformed or a record, and never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readRecord(new ByteReader(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedBytes);
        }
      }),
      { numRuns: 2_000, seed: 2 },
    );
  });

  test('a count that cannot be true allocates nothing', () => {
    const bytes = new ByteWriter(5).u8(0).u32(2 ** 32 - 1).bytes;
    expect(() => decoded(bytes)).toThrow('cannot be in so few bytes');
  });

  test('numbers beyond 2^53 - 1, unknown kinds and foreign groups are malformed', () => {
    const bytes = encoded(entries(1, 1, 1));
    const changed = (at: number, value: number): Uint8Array => {
      const copy = bytes.slice();
      copy[at] = value;
      return copy;
    };
    // A record's kind, an entry's kind, its group, and the highest byte of its term.
    for (const at of [0, 5, 6, 5 + 1 + 4 + 7]) expect(() => decoded(changed(at, 200))).toThrow(MalformedBytes);
  });
});
