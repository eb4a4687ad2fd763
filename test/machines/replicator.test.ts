import { describe, expect, test } from '@jest/globals';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import type { LogStore } from '../../src/seams/log-store.js';
import { LoneReplica, MemoryLogStore } from '../../src/testing/index.js';
import { accepted } from '../raft/states.js';

/** A log that holds nothing in memory where it is cold, and whose reads end when they are told to. */
class HeldReads extends MemoryLogStore {
  isCold = false;
  reads = 0;
  readonly #held: (() => void)[] = [];

  override cached(...args: Parameters<LogStore['cached']>): ReturnType<LogStore['cached']> {
    return this.isCold ? undefined : super.cached(...args);
  }

  override read(...args: Parameters<LogStore['read']>): void {
    this.reads += 1;
    if (this.isCold) this.#held.push(() => super.read(...args));
    else super.read(...args);
  }

  /** The oldest read ends. */
  finish(): void {
    this.#held.shift()?.();
  }
}

const stateOf = (replica: LoneReplica) => replica.actor.getSnapshot().context.replicators.b?.getSnapshot().value;
const rejected = (term: number, index: number, lastMatch: [number, number]) => {
  const position = { index: asIndex(lastMatch[0]), term: asTerm(lastMatch[1]) };
  return {
    kind: 'append-reply',
    term: asTerm(term),
    accepted: false,
    rejectedIndex: asIndex(index),
    lastPossibleMatch: position,
    readRound: asReadRound(0),
  } as const;
};
const propose = (replica: LoneReplica, count: number, bytes = 8) => {
  const commands = Array.from({ length: count }, () => new Uint8Array(bytes));
  return replica.send({ type: 'client.proposed', requestId: 1, commands }).pass(0);
};
const toB = (replica: LoneReplica) => replica.sentOf('append').filter(({ to }) => to === 'b');

describe('a replicator', () => {
  test('probes, then streams what is there without waiting for each answer', () => {
    const replica = new LoneReplica().lead();
    expect(stateOf(replica)).toBe('probing');
    replica.hear('b', accepted(1, 0));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
    const before = toB(replica).length;
    propose(replica, 3);
    propose(replica, 2);
    expect(
      toB(replica)
        .slice(before)
        .map(({ message }) => message.entries.length),
    ).toEqual([3, 2]);
  });

  test('that hears nothing of answers which leave it nothing to do goes on with the next entry, from where the peer is', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1).hear('b', accepted(1, 2));
    const replicator = replica.actor.getSnapshot().context.replicators.b;
    expect(replicator?.getSnapshot().context.inFlight).toHaveLength(1);
    propose(replica, 1);
    expect(replicator?.getSnapshot().context).toMatchObject({ matched: 2, nextIndex: 4 });
    expect(replicator?.getSnapshot().context.inFlight.map(({ lastIndex }) => lastIndex)).toEqual([3]);
  });

  test('leaves no more in flight than its window holds, in entries and in bytes', () => {
    const flow = { append: { maxEntries: 2, maxBytes: 100 }, window: { maxEntries: 4, maxBytes: 1_000 } };
    const replica = new LoneReplica({ input: { flow } }).lead().hear('b', accepted(1, 1));
    const before = toB(replica).length;
    propose(replica, 20);
    expect(
      toB(replica)
        .slice(before)
        .map(({ message }) => message.entries.length),
    ).toEqual([2, 2]);
    replica.hear('b', accepted(1, 3));
    expect(
      toB(replica)
        .slice(before)
        .map(({ message }) => message.entries.length),
    ).toEqual([2, 2, 2]);
    const bytes = new LoneReplica({ input: { flow } }).lead().hear('b', accepted(1, 1));
    const start = toB(bytes).length;
    propose(bytes, 20, 600);
    expect(
      toB(bytes)
        .slice(start)
        .map(({ message }) => message.entries.length),
    ).toEqual([1, 1]);
  });

  test('P14 a rejection that comes late, of what was acknowledged since, changes nothing', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4);
    replica.hear('b', accepted(1, 5)).hear('b', rejected(1, 3, [0, 0]));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
  });

  test('a real rejection makes it probe again, from what is acknowledged at the least', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4);
    replica.hear('b', rejected(1, 3, [1, 1]));
    expect(stateOf(replica)).toBe('probing');
    expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 1 }, entries: [] });
  });

  test('P14 a rejection that left before an acknowledgement and comes after it goes back to what was acknowledged, no further', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4);
    replica.hear('b', accepted(1, 3)).hear('b', rejected(1, 5, [1, 1]));
    expect(stateOf(replica)).toBe('probing');
    expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 3 }, entries: [] });
  });

  test('whose peer rejects what it has acknowledged asks at each heartbeat, no more often, and says so after five of them', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4).hear('b', accepted(1, 5));
    const loses = (): void => void replica.hear('b', rejected(1, 5, [2, 1]));
    const told = () => replica.sentOf('divergence').map(({ to, message }) => [to, message.index]);
    replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
    loses();
    expect(stateOf(replica)).toEqual({ doubting: 'waiting' });
    const before = toB(replica).length;
    loses();
    loses();
    expect(toB(replica).length).toBe(before);
    for (let beats = 2; beats < 5; beats += 1) {
      replica.pass(50);
      loses();
    }
    expect(toB(replica).length).toBe(before + 3);
    expect(told()).toEqual([]);
    replica.pass(50);
    loses();
    expect(told()).toEqual([['b', 5]]);
    expect(replica.notices.at(-1)).toMatchObject({
      type: 'replica.diverged',
      peer: 'b',
      reason: expect.stringContaining('it had all entries up to 5, and has none behind 2 now'),
    });
    replica.pass(50);
    loses();
    expect(told().length).toBe(1);
  });

  test('whose peer takes it back that it rejected what it had acknowledged goes on: that answer was an old one', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4).hear('b', accepted(1, 5));
    replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
    for (let beats = 0; beats < 4; beats += 1) replica.hear('b', rejected(1, 5, [2, 1])).pass(50);
    propose(replica, 1);
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
    replica.hear('b', accepted(1, 6));
    replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
    for (let beats = 0; beats < 4; beats += 1) replica.hear('b', rejected(1, 6, [2, 1])).pass(50);
    expect(replica.sentOf('divergence')).toEqual([]);
  });

  test('P14 an acknowledgement of less than the place that it probes proves nothing about that place', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 4);
    replica.hear('b', rejected(1, 5, [4, 1])).hear('b', accepted(1, 2));
    expect(stateOf(replica)).toBe('probing');
    replica.hear('b', accepted(1, 4));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
  });

  /** The entries sent to b since `from`, each append as its indexes. */
  const sentIndexes = (replica: LoneReplica, from = 0): number[][] =>
    toB(replica)
      .slice(from)
      .filter(({ message }) => message.entries.length > 0)
      .map(({ message }) => message.entries.map(({ index }) => index));

  test('P50 slow is not lost: what nobody acknowledges for hundreds of heartbeats is sent once', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1, 8 * 1024 * 1024);
    const before = toB(replica).length;
    for (let beat = 0; beat < 300; beat += 1) replica.pass(50).hear('c', accepted(1, 1));
    expect(sentIndexes(replica)).toEqual([[2]]);
    // Each is behind what was sent: who has it has all, and who lacks something says so.
    const beats = toB(replica).slice(before);
    expect(beats.length).toBeGreaterThanOrEqual(299);
    expect(beats.every(({ message }) => message.entries.length === 0 && message.previous.index === 2)).toBe(true);
  });

  test('many read rounds do not make it send anything again', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1);
    for (let read = 0; read < 9; read += 1) replica.send({ type: 'client.read', requestId: 10 + read });
    replica.hear('b', accepted(1, 1));
    expect(sentIndexes(replica)).toEqual([[2]]);
  });

  test('a rejected heartbeat proves what was lost, and only that is sent again', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    for (let at = 0; at < 4; at += 1) propose(replica, 1);
    const before = toB(replica).length;
    replica.pass(50).hear('b', rejected(1, 5, [3, 1]));
    expect(stateOf(replica)).toBe('probing');
    expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 3 }, entries: [] });
    replica.hear('b', accepted(1, 3));
    expect(sentIndexes(replica, before)).toEqual([[4, 5]]);
  });

  test('whose peer needs a snapshot, whatever it has acknowledged, sends no entries until it takes some', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 0));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
    // A late refusal of an older term: it names nothing that was let go of.
    replica.hear('b', accepted(1, 1)).hear('b', rejected(1, 0, [0, 0]));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
    replica.hear('b', rejected(1, 0, [2, 1]));
    expect(stateOf(replica)).toBe('replacingSnapshot');
    const before = toB(replica).length;
    propose(replica, 3).pass(200);
    const sent = toB(replica).slice(before);
    expect(sent.length).toBeGreaterThan(0);
    expect(sent.flatMap(({ message }) => message.entries)).toEqual([]);
    // A sign of life vouches for nothing.
    replica.hear('b', accepted(1, 0));
    expect(stateOf(replica)).toBe('replacingSnapshot');
    replica.hear('b', rejected(1, 1, [1, 1]));
    expect(stateOf(replica)).toBe('probing');
    replica.hear('b', rejected(1, 0, [2, 1]));
    expect(stateOf(replica)).toBe('replacingSnapshot');
    replica.hear('b', accepted(1, 1)).hear('b', accepted(1, 1));
    expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
    expect(toB(replica).at(-1)?.message.entries).toHaveLength(3);
  });

  test('entries that were read for another place than the one that comes next are not sent', () => {
    const log = new HeldReads();
    const replica = new LoneReplica({ ids: 'ab', input: { log } }).lead().hear('b', accepted(1, 1));
    propose(replica, 2);
    log.isCold = true;
    propose(replica, 2);
    expect(stateOf(replica)).toEqual({ streaming: 'reading' });
    // While entry 4 is read, a rejection takes the replicator back to entry 2.
    replica.hear('b', rejected(1, 3, [1, 1])).hear('b', accepted(1, 1));
    expect(stateOf(replica)).toEqual({ streaming: 'reading' });
    const before = toB(replica).length;
    log.finish();
    replica.pass(0);
    expect(sentIndexes(replica, before)).toEqual([]);
    log.finish();
    replica.pass(0);
    expect(sentIndexes(replica, before)).toEqual([[2, 3, 4, 5]]);
  });

  describe('on a new connection', () => {
    test('a probe that may be lost is sent again', () => {
      const replica = new LoneReplica().lead();
      const [probe, ...others] = toB(replica);
      expect([stateOf(replica), others]).toEqual(['probing', []]);
      replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
      expect(toB(replica).map(({ message }) => message)).toEqual([probe?.message, probe?.message]);
    });

    const reconnected = (): { replica: LoneReplica; before: number } => {
      const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
      propose(replica, 2);
      const before = toB(replica).length;
      replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
      expect(stateOf(replica)).toBe('probing');
      expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 3 }, entries: [] });
      return { replica, before };
    };

    test('what arrived on the old one is not sent again', () => {
      const { replica, before } = reconnected();
      replica.hear('b', accepted(1, 3));
      propose(replica, 1);
      expect(sentIndexes(replica, before)).toEqual([[4]]);
    });

    test('what did not is', () => {
      const { replica, before } = reconnected();
      replica.hear('b', rejected(1, 3, [2, 1])).hear('b', accepted(1, 2));
      expect(sentIndexes(replica, before)).toEqual([[3]]);
    });
  });

  describe('when its link has no room', () => {
    const isLarge = (message: { kind: string }): boolean =>
      message.kind === 'append' && (message as { entries?: readonly unknown[] }).entries?.length !== 0;

    test('it keeps its place, and goes on from there when there is some', () => {
      const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
      propose(replica, 1);
      replica.refuses = isLarge;
      propose(replica, 2);
      propose(replica, 2);
      expect(stateOf(replica)).toEqual({ streaming: 'waitingForRoom' });
      replica.pass(50);
      expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 2 }, entries: [] });
      replica.hear('b', accepted(1, 2));
      expect(stateOf(replica)).toEqual({ streaming: 'waitingForRoom' });
      replica.refuses = () => false;
      const before = toB(replica).length;
      replica.makeRoom('b').pass(0);
      expect(stateOf(replica)).toEqual({ streaming: 'flowing' });
      expect(sentIndexes(replica, before)).toEqual([[3, 4, 5, 6]]);
    });

    test('what is refused while it reads from disk is read again later', () => {
      const flow = { append: { maxEntries: 2, maxBytes: 100 }, window: { maxEntries: 4, maxBytes: 1_000 } };
      const replica = new LoneReplica({ input: { flow } }).lead().hear('b', accepted(1, 1));
      replica.refuses = isLarge;
      propose(replica, 7);
      expect(stateOf(replica)).toEqual({ streaming: 'waitingForRoom' });
      replica.refuses = () => false;
      replica.makeRoom('b').pass(1);
      for (const match of [3, 5, 7, 8]) replica.hear('b', accepted(1, match));
      expect(sentIndexes(replica)).toEqual([[2, 3], [4, 5], [6, 7], [8]]);
    });

    test('what was read from disk and is refused is not read again before there is room', () => {
      const flow = { append: { maxEntries: 2, maxBytes: 100 }, window: { maxEntries: 8, maxBytes: 1_000 } };
      const log = new HeldReads();
      const replica = new LoneReplica({ ids: 'ab', input: { flow, log } }).lead().hear('b', accepted(1, 1));
      log.isCold = true;
      propose(replica, 8);
      expect(stateOf(replica)).toEqual({ streaming: 'reading' });
      replica.refuses = isLarge;
      log.finish();
      replica.pass(0);
      expect(stateOf(replica)).toEqual({ streaming: 'waitingForRoom' });
      const reads = log.reads;
      // The read that was begun before the refusal ends, and leads to no further one.
      log.finish();
      replica.pass(10);
      expect([stateOf(replica), log.reads]).toEqual([{ streaming: 'waitingForRoom' }, reads]);
      replica.refuses = () => false;
      const before = toB(replica).length;
      replica.makeRoom('b').pass(0);
      log.isCold = false;
      log.finish();
      replica.pass(0);
      expect(sentIndexes(replica, before)[0]?.[0]).toBe(2);
    });

    test('a new connection makes it probe, from the place that it kept', () => {
      const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
      replica.refuses = isLarge;
      propose(replica, 2);
      replica.refuses = () => false;
      replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
      expect(toB(replica).at(-1)?.message).toMatchObject({ previous: { index: 1 }, entries: [] });
      replica.hear('b', accepted(1, 1));
      expect(sentIndexes(replica)).toEqual([[2, 3]]);
    });
  });
});
