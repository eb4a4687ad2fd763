import { describe, expect, test } from '@jest/globals';
import { encodeGet, encodeList } from '../../src/key-value/queries.js';
import { asTerm } from '../../src/raft/kinds.js';
import { ByteWriter, encodeText } from '../../src/wire/bytes.js';
import {
  CLIENT_PROTOCOL,
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame,
} from '../../src/wire/client-frames.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const payload = new Uint8Array([0xab]);

/** Clients of one version speak to nodes of another: what is written here may only be added to, or the protocol's name changes. */
describe(`${CLIENT_PROTOCOL}, byte for byte`, () => {
  test('hello', () => {
    expect(hex(encodeClientFrame({ kind: 'hello' }))).toBe('00');
  });

  test.each([
    ['propose', '00'],
    ['get', '01'],
    ['list', '02'],
  ] as const)('a request to %s', (operation, code) => {
    const frame = encodeClientFrame({ kind: 'requests', requests: [{ id: 7, operation, timeoutMs: 5_000, payload }] });
    expect(hex(frame)).toBe(`0101000000${'07000000'}${code}${'88130000'}${'01000000'}ab`);
    expect(decodeClientFrame(frame)).toMatchObject({ kind: 'requests', requests: [{ id: 7, operation }] });
  });

  test.each([
    ['linearizable', '00'],
    ['stale', '01'],
    ['lease', '02'],
  ] as const)('a %s question', (consistency, code) => {
    expect(hex(encodeGet({ consistency, key: 'k' }))).toBe(`${code}${'01000000'}6b`);
    expect(hex(encodeList({ consistency, query: { prefix: '', limit: 1 } })).slice(0, 2)).toBe(code);
  });

  test('a reply', () => {
    expect(hex(encodeNodeFrame({ kind: 'replies', replies: [{ id: 7, payload }] }))).toBe(
      `0201000000${'07000000'}00${'01000000'}ab`,
    );
  });

  test('who leads', () => {
    const news = { term: asTerm(3), leaderId: 'a', members: [{ id: 'a', address: 'h:1' }] };
    expect(hex(encodeNodeFrame({ kind: 'leader', news }))).toBe(
      `03${'0300000000000000'}${'0100000061'}${'01000000'}${'0100000061'}${'03000000683a31'}`,
    );
  });
});

test('an error without a code is not taken for one that is safe to ask again (P37)', () => {
  const body = encodeText(JSON.stringify({ message: 'a mistake' }));
  const bytes = new ByteWriter(5 + 9 + body.byteLength).u8(2).u32(1).u32(7).u8(1).text(body).bytes;
  expect(decodeNodeFrame(bytes)).toMatchObject({ replies: [{ id: 7, error: { code: 'QUORATE_OUTCOME_UNKNOWN' } }] });
});
