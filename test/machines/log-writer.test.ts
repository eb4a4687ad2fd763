import { describe, expect, test } from '@jest/globals';
import type { LogReport } from '../../actors/events.js';
import { Outlet } from '../../actors/link.js';
import { LogWriter } from '../../actors/log-writer.js';
import type { LogRecord, PeerMessage } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { MemoryLogStore, VirtualClock } from '../../src/testing/index.js';
import { accepted, entry } from '../raft/states.js';

/** A log writer on a store in memory, whose syncs end when they are told to. */
function writer() {
  const syncs: ((error?: Error) => void)[] = [];
  const store = new MemoryLogStore();
  const begun: number[] = [];
  store.sync = (done) => {
    begun.push(begun.length + 1);
    syncs.push(done);
  };
  const reports: LogReport[] = [];
  const left: PeerMessage[] = [];
  const outlet = new Outlet();
  outlet.open((message) => left.push(message) > 0);
  const clock = new VirtualClock();
  const log = new LogWriter({ store, clock, lookEveryMs: 50, patienceMs: 300 });
  log.start((report) => reports.push(report));
  const write = (records: readonly LogRecord[], ...messages: readonly PeerMessage[]) =>
    log.write(
      records,
      messages.map((message) => ({ outlet, message })),
    );
  const told = () => reports.slice(1);
  return { store, clock, log, write, syncs, begun, told, left };
}

const entries = (index: number): LogRecord => ({ kind: 'entries', entries: [entry(index, 1)] });
const vote: LogRecord = { kind: 'vote', term: asTerm(2), votedFor: 'b' };

describe('the one door to the disk', () => {
  test('P15 lets a message that writes nothing leave at once, where all that was written is durable', () => {
    const { write, begun, left } = writer();
    write([], accepted(1, 0));
    expect([begun, left]).toEqual([[], [accepted(1, 0)]]);
  });

  test('P15 has it wait for what was written before it, and for that only', () => {
    const { write, syncs, begun, left, told } = writer();
    write([entries(1)]);
    write([], accepted(1, 1));
    expect(left).toEqual([]);
    syncs.shift()?.();
    expect([begun, left]).toEqual([[1], [accepted(1, 1)]]);
    expect(told()).toEqual([{ type: 'log.durable', written: { index: 1, term: 1 } }]);
    write([], accepted(1, 1, 2));
    expect(left).toHaveLength(2);
  });

  test('P1 makes durable together what was written during a sync, and lets nothing of it leave before', () => {
    const { write, syncs, begun, left, told } = writer();
    write([entries(1)]);
    write([entries(2)], accepted(1, 2));
    write([vote], accepted(1, 0, 3));
    syncs.shift()?.();
    expect([begun, left]).toEqual([[1, 2], []]);
    syncs.shift()?.();
    expect(left).toEqual([accepted(1, 2), accepted(1, 0, 3)]);
    expect(told().map(({ type }) => type)).toEqual(['log.durable', 'vote.durable', 'log.durable']);
  });

  test('P15 a message that writes nothing frees nothing of the records that it gathered with', () => {
    const { write, syncs, begun, left } = writer();
    write([entries(1)]);
    write([entries(2)], accepted(1, 2));
    write([], accepted(1, 2, 1));
    syncs.shift()?.();
    expect([begun, left]).toEqual([[1, 2], []]);
    syncs.shift()?.();
    expect(left).toEqual([accepted(1, 2), accepted(1, 2, 1)]);
  });

  test('P15 nor does it while the disk hangs', () => {
    const { write, syncs, clock, begun, left } = writer();
    write([entries(1)]);
    clock.runFor(1_000);
    write([entries(2)], accepted(1, 2));
    write([], accepted(1, 0, 1));
    syncs.shift()?.();
    expect([begun, left]).toEqual([[1, 2], []]);
    syncs.shift()?.();
    expect(left).toEqual([accepted(1, 2, 1)]);
  });

  test('P13 tells nothing of entries that were replaced while they were written, though the same should come once more', () => {
    const { write, syncs, told } = writer();
    const of = entry;
    const cut: LogRecord = { kind: 'truncation', from: asIndex(1) };
    write([{ kind: 'entries', entries: [of(1, 1), of(2, 1), of(3, 1)] }]);
    write([cut, { kind: 'entries', entries: [of(1, 2)] }]);
    write([cut, { kind: 'entries', entries: [of(1, 1), of(2, 1), of(3, 1), of(4, 3)] }]);
    syncs.shift()?.();
    expect(told()).toEqual([]);
    syncs.shift()?.();
    expect(told()).toEqual([{ type: 'log.durable', written: { index: 4, term: 3 } }]);
  });

  test('while the disk hangs, an answer of a new term does not vouch for what one of an older term said', () => {
    const { write, syncs, clock, left } = writer();
    write([entries(1)]);
    clock.runFor(1_000);
    write([{ kind: 'entries', entries: [entry(2, 1), entry(3, 1)] }], accepted(1, 3));
    write(
      [
        { kind: 'truncation', from: asIndex(1) },
        { kind: 'entries', entries: [entry(1, 2)] },
      ],
      accepted(2, 1),
    );
    syncs.shift()?.();
    syncs.shift()?.();
    expect(left).toEqual([accepted(2, 1)]);
  });

  test('what is written because of what has become durable waits for a sync of its own', () => {
    const { store, clock } = writer();
    const syncs: (() => void)[] = [];
    const left: PeerMessage[] = [];
    const outlet = new Outlet();
    outlet.open((message) => left.push(message) > 0);
    store.sync = (done) => void syncs.push(done);
    const log = new LogWriter({ store, clock, lookEveryMs: 50, patienceMs: 300 });
    log.start(({ type }) => {
      if (type === 'log.durable' && left.length === 0) log.write([entries(3)], [{ outlet, message: accepted(1, 3) }]);
    });
    log.write([entries(1)], []);
    log.write([entries(2)], [{ outlet, message: accepted(1, 2) }]);
    syncs.shift()?.();
    expect([syncs.length, left]).toEqual([1, []]);
    syncs.shift()?.();
    expect([syncs.length, left]).toEqual([1, [accepted(1, 2)]]);
    syncs.shift()?.();
    expect(left).toEqual([accepted(1, 2), accepted(1, 3)]);
  });

  test.each(['sync', 'append'])('P31 lets nothing leave any more after a failed %s, and says so once', (call) => {
    const { store, write, syncs, left, told } = writer();
    write([entries(1)], accepted(1, 1));
    const error = new Error('EIO');
    if (call === 'append') {
      store.append = () => {
        throw error;
      };
      write([entries(2)]);
      syncs.shift()?.();
    } else syncs.shift()?.(error);
    write([], accepted(1, 0));
    expect([left, told()]).toEqual([[], [{ type: 'log.failed', error }]]);
  });

  test('P36 says when it resumes for how long the sync took', () => {
    const { clock, write, syncs, told } = writer();
    write([entries(1)]);
    clock.runFor(1_000);
    syncs.shift()?.();
    expect(told().at(-1)).toEqual({ type: 'log.resumed', waitedMs: 1_000 });
  });

  test('P36 waits for each sync anew: many that take their time are no disk that hangs', () => {
    const { clock, write, syncs, told } = writer();
    for (let index = 1; index <= 10; index += 1) {
      write([entries(index)]);
      clock.runFor(200);
      syncs.shift()?.();
    }
    expect(told().map(({ type }) => type)).toEqual(Array.from({ length: 10 }, () => 'log.durable'));
  });

  test('P36 a process that stood still has not waited for its disk meanwhile', () => {
    const { clock, write, told } = writer();
    write([entries(1)]);
    clock.pass(60_000);
    clock.runFor(200);
    expect(told()).toEqual([]);
  });

  test('P36 gives a large write more time, and never more than a second', () => {
    const { clock, write, told } = writer();
    const payload = new Uint8Array(64 * 1024 * 1024);
    write([{ kind: 'entries', entries: [{ ...entry(1, 1), payload }] }]);
    clock.runFor(1_300);
    expect(told()).toEqual([]);
    clock.runFor(50);
    expect(told()).toEqual([{ type: 'log.stalled', waitedMs: 1_350 }]);
  });

  test('P36 looks at the clock while a sync is under way, and not otherwise', () => {
    const { clock, write, syncs, told } = writer();
    clock.runFor(1_000);
    expect(told()).toEqual([]);
    write([entries(1)]);
    clock.runFor(300);
    expect(told()).toEqual([]);
    clock.runFor(50);
    expect(told()).toEqual([{ type: 'log.stalled', waitedMs: 350 }]);
    syncs.shift()?.();
    expect(
      told()
        .slice(1)
        .map(({ type }) => type),
    ).toEqual(['log.durable', 'log.resumed']);
  });
});

describe('a full disk', () => {
  const full = Object.assign(new Error('full'), { code: 'QUORATE_STORAGE_FULL' });

  test('holds back what vouches for entries, and lets out votes, which are durable all the same', () => {
    const { write, syncs, left, told } = writer();
    const granted = { kind: 'vote-reply', term: asTerm(2), granted: true, preVote: false } as const;
    write([entries(1)], accepted(1, 1));
    write([vote], granted);
    syncs.shift()?.(full);
    expect(left).toEqual([]);
    syncs.shift()?.(full);
    expect(left).toEqual([granted]);
    expect(told()).toEqual([
      { type: 'log.full', error: full },
      { type: 'vote.durable', term: 2, votedFor: 'b' },
    ]);
    write([], accepted(1, 0));
    expect(left).toHaveLength(1);
  });

  test('writes a vote at once while it is full, and looks for room every second', () => {
    const { write, syncs, begun, left, told, clock } = writer();
    write([entries(1)], accepted(1, 1), accepted(2, 1));
    syncs.shift()?.(full);
    write([vote]);
    expect(begun).toHaveLength(2);
    syncs.shift()?.(full);
    clock.runFor(999);
    expect(begun).toHaveLength(2);
    clock.runFor(1);
    expect(begun).toHaveLength(3);
    syncs.shift()?.();
    // The answer of the term before the vote's is of no use any more.
    expect(left).toEqual([accepted(2, 1)]);
    expect(told().slice(2)).toEqual([
      { type: 'log.durable', written: { index: 1, term: 1 } },
      { type: 'log.roomMade', fullForMs: 1_000 },
    ]);
    clock.runFor(5_000);
    expect(begun).toHaveLength(3);
  });

  test('keeps one answer of a kind for each peer, however long it lasts', () => {
    const { log, write, syncs } = writer();
    write([entries(1)], accepted(1, 1));
    syncs.shift()?.(full);
    for (let round = 0; round < 100; round += 1) write([], accepted(1, 1, round));
    expect(log.gathered).toHaveLength(1);
  });
});
