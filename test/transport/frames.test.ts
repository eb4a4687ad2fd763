import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Entry, PeerMessage } from '../../src/raft/messages.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { decodeMessage, encodeMessage } from '../../transport/frames.js';
import { decodeHello, decodeWelcome, encodeHello, encodeWelcome } from '../../transport/hello.js';

const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const bytes = fc.uint8Array({ maxLength: 200 });
const position = fc.record({ index: whole, term: whole });

/** Consecutive entries, of terms between `previous`'s and the message's. */
const append = fc
  .record({
    previous: fc.record({ index: fc.nat(1e9), term: fc.nat(1e6) }),
    steps: fc.array(fc.record({ step: fc.nat(3), bytes, kind: fc.nat(3) })),
  })
  .map(({ previous, steps }): PeerMessage => {
    let { term } = previous;
    const kinds = ['command', 'no-op', 'configuration', 'session'] as const;
    const entries = steps.map(({ step, bytes: payload, kind }, at) => {
      term += step;
      const place = { index: previous.index + 1 + at, term };
      return {
        kind: kinds[kind],
        ...place,
        timeMs: 7 + at,
        sessionId: at,
        sequence: at * 2,
        lowWater: 1,
        payload,
      } as unknown as Entry;
    });
    return {
      kind: 'append',
      term,
      previous,
      entries,
      commitIndex: previous.index,
      readRound: 9,
    } as unknown as PeerMessage;
  });

const others: fc.Arbitrary<PeerMessage> = fc.oneof(
  fc
    .record({ last: position, preVote: fc.boolean(), transfer: fc.boolean(), later: fc.nat(5) })
    .filter(({ last, later }) => Number.isSafeInteger(last.term + later + 1))
    .map(({ later, last, ...flags }) => {
      const presentTerm = last.term + later;
      return { kind: 'vote-request', term: presentTerm + Number(flags.preVote), presentTerm, last, ...flags };
    }),
  fc.record({ kind: fc.constant('vote-reply'), term: whole, granted: fc.boolean(), preVote: fc.boolean() }),
  fc.record({
    kind: fc.constant('append-reply'),
    term: whole,
    accepted: fc.constant(true),
    matchIndex: whole,
    readRound: whole,
  }),
  fc.record({
    kind: fc.constant('append-reply'),
    term: whole,
    accepted: fc.constant(false),
    rejectedIndex: whole,
    lastPossibleMatch: position,
    readRound: whole,
  }),
  fc.record({
    kind: fc.constant('propose-request'),
    requestId: whole,
    remainingMs: fc.nat(2 ** 32 - 1),
    commands: fc.array(bytes),
  }),
  fc.record({
    kind: fc.constant('propose-reply'),
    requestId: whole,
    outcome: fc.oneof(
      fc.record({ kind: fc.constant('results'), results: fc.array(bytes) }),
      fc.record({ kind: fc.constant('refused'), leaderId: fc.constantFrom(null, 'n1', 'n2.example') }),
      fc.record({
        kind: fc.constant('refused'),
        leaderId: fc.constant(null),
        behind: fc.constantFrom('disk', 'state machine'),
      }),
      fc.record({ kind: fc.constant('unknown') }),
    ),
  }),
  fc.record({ kind: fc.constant('read-request'), requestId: whole }),
  fc.record({ kind: fc.constant('read-reply'), requestId: whole, readIndex: fc.option(whole) }),
  fc.record({ kind: fc.constant('hash-request'), term: whole, index: whole }),
  fc.record({ kind: fc.constant('hash-reply'), term: whole, index: whole, hash: fc.constantFrom('', '00ff12') }),
  fc.record({ kind: fc.constant('divergence'), term: whole, index: whole, reason: fc.string({ maxLength: 300 }) }),
  fc.record({ kind: fc.constant('halt-notice'), reason: fc.string({ unit: 'grapheme', maxLength: 300 }) }),
) as fc.Arbitrary<PeerMessage>;

const message = fc.oneof(append, others);

/** What a hostile peer can do to us: at most this one error. */
function decodesOrRefuses(frame: Uint8Array): void {
  try {
    decodeMessage(frame);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedBytes);
  }
}

describe('messages as frames', () => {
  test('every message comes back as it went', () => {
    fc.assert(
      fc.property(message, (sent) => expect(decodeMessage(encodeMessage(sent))).toEqual(sent)),
      { numRuns: 500 },
    );
  });

  test('what a later version may say of a refusal is no leader, and no more', () => {
    const outcome = { kind: 'refused', leaderId: '!clock' } as const;
    const frame = encodeMessage({ kind: 'propose-reply', requestId: 1, outcome });
    expect(decodeMessage(frame)).toEqual({
      kind: 'propose-reply',
      requestId: 1,
      outcome: { kind: 'refused', leaderId: null },
    });
  });

  test('a frame cut short, or with bytes too many, is refused', () => {
    fc.assert(
      fc.property(message, fc.nat(), (sent, at) => {
        const frame = encodeMessage(sent);
        expect(() => decodeMessage(frame.subarray(0, at % frame.byteLength))).toThrow(MalformedBytes);
        expect(() => decodeMessage(new Uint8Array([...frame, 0]))).toThrow(MalformedBytes);
      }),
    );
  });

  test('a read for which a lease is enough says so in a byte more, and any other is as it always was', () => {
    const read = { kind: 'read-request', requestId: 7 } as const;
    expect(encodeMessage(read).byteLength).toBe(13);
    expect(decodeMessage(encodeMessage({ ...read, byLease: true }))).toEqual({ ...read, byLease: true });
    expect(() => decodeMessage(new Uint8Array([...encodeMessage(read), 2]))).toThrow(MalformedBytes);
  });

  test('random bytes, and frames with random bytes changed, decode or are refused, and nothing else happens', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), decodesOrRefuses), { numRuns: 1_000 });
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), (sent, at, value) => {
        const frame = encodeMessage(sent);
        frame[at % frame.byteLength] = value;
        decodesOrRefuses(frame);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a message for a group that is not there is refused, and so is one of a type that nobody knows', () => {
    const frame = encodeMessage({ kind: 'read-request', requestId: 1 });
    expect(() => decodeMessage(Uint8Array.from([...frame.subarray(0, 1), 1, 0, 0, 0, ...frame.subarray(5)]))).toThrow(
      'a message for another group',
    );
    expect(() => decodeMessage(Uint8Array.from([200, ...frame.subarray(1)]))).toThrow('does not know');
  });

  test('a count that promises more than there is allocates nothing', () => {
    const frame = encodeMessage({ kind: 'propose-request', requestId: 1, remainingMs: 1_000, commands: [] });
    new DataView(frame.buffer).setUint32(frame.byteLength - 4, 0xffffffff, true);
    expect(() => decodeMessage(frame)).toThrow('cannot be in so few bytes');
  });

  test('entries that do not follow one another, or are of a later term than their leader, are refused', () => {
    const entry = {
      kind: 'command',
      index: 2,
      term: 1,
      timeMs: 0,
      sessionId: 0,
      sequence: 0,
      lowWater: 0,
      payload: new Uint8Array(0),
    };
    const sent = {
      kind: 'append',
      term: 1,
      previous: { index: 0, term: 0 },
      entries: [entry],
      commitIndex: 0,
      readRound: 0,
    };
    expect(() => decodeMessage(encodeMessage(sent as never))).toThrow('cannot follow');
    const later = { ...sent, entries: [{ ...entry, index: 1, term: 2 }] };
    expect(() => decodeMessage(encodeMessage(later as never))).toThrow('cannot follow');
  });

  test('an entry is kept without the buffer that its frame was read into', () => {
    const pool = new Uint8Array(65_536);
    const frame = encodeMessage({
      kind: 'propose-request',
      requestId: 1,
      remainingMs: 1_000,
      commands: [new Uint8Array([1, 2, 3])],
    });
    pool.set(frame, 1_000);
    // As sockets give it: a Buffer, whose own `slice` copies nothing.
    for (const given of [pool, Buffer.from(pool.buffer)]) {
      const decoded = decodeMessage(given.subarray(1_000, 1_000 + frame.byteLength));
      expect(decoded.kind === 'propose-request' && decoded.commands[0]?.buffer.byteLength).toBe(frame.byteLength);
    }
  });

  test('a frame that is most of its buffer is not copied', () => {
    const frame = encodeMessage({
      kind: 'propose-request',
      requestId: 1,
      remainingMs: 1_000,
      commands: [new Uint8Array([1, 2, 3])],
    });
    const decoded = decodeMessage(frame);
    expect(decoded.kind === 'propose-request' && decoded.commands[0]?.buffer).toBe(frame.buffer);
  });
});

describe('greetings', () => {
  const identity = { clusterId: 'c', nodeId: 'n1', incarnation: 'i' };

  test('come back as they went', () => {
    const hello = { version: 1, identity, expected: 'n2' };
    expect(decodeHello(encodeHello(hello))).toEqual(hello);
    for (const welcome of [
      { accepted: true, identity },
      { accepted: false, reason: 'because' },
    ] as const) {
      expect(decodeWelcome(encodeWelcome(welcome))).toEqual(welcome);
    }
  });

  test('of another version are read as far as that', () => {
    expect(decodeHello(encodeHello({ version: 2, identity, expected: 'n2' }))).toEqual({ version: 2, identity: null });
  });

  test('of somebody else are refused', () => {
    expect(() => decodeHello(new TextEncoder().encode('GET / HTTP/1.1'))).toThrow(MalformedBytes);
    expect(() => decodeWelcome(new Uint8Array(3))).toThrow(MalformedBytes);
  });
});
