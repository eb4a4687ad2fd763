import { describe, expect, test } from '@jest/globals';
import { keyCodec, listQueryCodec } from '../../src/key-value/queries.js';
import { asTerm } from '../../src/raft/numbers-and-ids.js';
import { ByteWriter, encodeText, MalformedBytes } from '../../src/wire/bytes.js';
import {
  CLIENT_PROTOCOL,
  CLIENT_PROTOCOLS,
  decodeClientFrame,
  decodeNodeFrame,
  encodeClientFrame,
  encodeNodeFrame,
} from '../../src/wire/client-frames.js';
import { decodeQuestion, encodeQuestion } from '../../src/wire/question.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const payload = new Uint8Array([0xab]);

/** Clients of one version speak to nodes of another: what is written here may only be added to, or the protocol's name changes. */
describe(`${CLIENT_PROTOCOLS.join(' and ')}, byte for byte`, () => {
  test('hello', () => {
    expect(hex(encodeClientFrame({ kind: 'hello' }))).toBe('00');
    expect(hex(encodeClientFrame({ kind: 'hello', service: 'key-value' }))).toBe('00');
    expect(decodeClientFrame(new Uint8Array([0]))).toEqual({ kind: 'hello' });
    const named = encodeClientFrame({ kind: 'hello', service: 'ab' });
    expect([hex(named), decodeClientFrame(named)]).toEqual(['00020000006162', { kind: 'hello', service: 'ab' }]);
  });

  test.each([
    ['propose', '00'],
    ['get', '01'],
    ['list', '02'],
    ['query', '03'],
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
    const get = encodeQuestion({ name: 'get', consistency, input: keyCodec.encode('k') });
    expect([get.operation, hex(get.payload)]).toEqual(['get', `${code}${'01000000'}6b`]);
    const list = encodeQuestion({ name: 'list', consistency, input: listQueryCodec.encode({ prefix: '', limit: 1 }) });
    expect([list.operation, hex(list.payload)]).toEqual(['list', `${code}${'00000000'}00${'00000000'}${'01000000'}`]);
    const other = encodeQuestion({ name: 'count', consistency, input: payload });
    expect([other.operation, hex(other.payload)]).toEqual([
      'query',
      `${code}${'05000000'}${hex(encodeText('count'))}ab`,
    ]);
    for (const question of [get, list, other])
      expect(encodeQuestion(decodeQuestion(question.operation as 'query', question.payload))).toEqual(question);
  });

  test('a reply', () => {
    expect(hex(encodeNodeFrame({ kind: 'replies', replies: [{ id: 7, payload }] }))).toBe(
      `0201000000${'07000000'}00${'01000000'}ab`,
    );
  });

  test(`an answer with the index that it reflects, in ${CLIENT_PROTOCOL} alone`, () => {
    const replies = [{ id: 7, index: 2 ** 40 + 5, payload }];
    const bytes = encodeNodeFrame({ kind: 'replies', replies });
    expect(hex(bytes)).toBe(`0201000000${'07000000'}02${'0500000000010000'}${'01000000'}ab`);
    expect(decodeNodeFrame(bytes)).toEqual({ kind: 'replies', replies });
  });

  test('a reply of the first version, an error and an answer with its index in one frame', () => {
    const error = { code: 'QUORATE_NO_LEADER', message: 'no', details: {} } as const;
    const replies = [
      { id: 1, payload },
      { id: 2, error },
      { id: 3, index: 0, payload },
    ];
    expect(decodeNodeFrame(encodeNodeFrame({ kind: 'replies', replies }))).toEqual({ kind: 'replies', replies });
  });

  test('a reply of a later kind is none that can be read', () => {
    const bytes = encodeNodeFrame({ kind: 'replies', replies: [{ id: 7, payload }] });
    bytes[9] = 3;
    expect(() => decodeNodeFrame(bytes)).toThrow(MalformedBytes);
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
