import { describe, expect, test } from '@jest/globals';
import { asIndex, asReadRound, asTerm } from '../../src/raft/kinds.js';
import { accepted } from '../raft/states.js';
import { LoneReplica } from './lone-replica.js';

const stateOf = (replica: LoneReplica) => replica.actor.getSnapshot().context.replicators.b?.getSnapshot().value;
const rejected = (term: number, index: number, hint: [number, number]) => {
  const position = { index: asIndex(hint[0]), term: asTerm(hint[1]) };
  return {
    kind: 'append-reply',
    term: asTerm(term),
    accepted: false,
    rejectedIndex: asIndex(index),
    hint: position,
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

  test('what nobody acknowledges for many heartbeats is taken for lost, and sent again', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1);
    for (let beat = 0; beat < 9; beat += 1) replica.pass(50).hear('b', accepted(1, 1));
    const resent = toB(replica).filter(({ message }) => message.entries.some(({ index }) => index === 2));
    expect(resent.length).toBeGreaterThan(1);
  });

  test('heartbeats go on while a large append is under way, and follow what is acknowledged', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1, 8 * 1024 * 1024);
    const before = toB(replica).length;
    replica.pass(200);
    const beats = toB(replica).slice(before);
    expect(beats.length).toBeGreaterThanOrEqual(4);
    expect(beats.every(({ message }) => message.entries.length === 0 && message.previous.index === 1)).toBe(true);
  });

  test('many read rounds are no heartbeats: nothing is taken for lost because of them', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 1);
    for (let read = 0; read < 9; read += 1) replica.send({ type: 'client.read', requestId: 10 + read });
    replica.hear('b', accepted(1, 1));
    const copies = toB(replica).filter(({ message }) => message.entries.some(({ index }) => index === 2));
    expect(copies).toHaveLength(1);
  });

  test('a new connection may have lost what was on the old one: it starts over', () => {
    const replica = new LoneReplica().lead().hear('b', accepted(1, 1));
    propose(replica, 2);
    replica.send({ type: 'link.closed', peer: 'b', reason: 'cut' }).send({ type: 'link.opened', peer: 'b' });
    expect(stateOf(replica)).toBe('probing');
    replica.hear('b', accepted(1, 1));
    expect(
      toB(replica)
        .at(-1)
        ?.message.entries.map(({ index }) => index),
    ).toEqual([2, 3]);
  });
});
