import { expect, test } from '@jest/globals';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { SimulatedCluster } from '../../src/testing/index.js';
import { simulate } from '../../src/testing/index.js';
import { encodeMessage } from '../../transport/frames.js';

/** Every message that any replica sends from now on. */
function sentIn(cluster: SimulatedCluster): readonly PeerMessage[] {
  const sent: PeerMessage[] = [];
  const { durability } = cluster;
  const sends = durability.sends.bind(durability);
  durability.sends = (from, to, message) => {
    sent.push(message);
    sends(from, to, message);
  };
  return sent;
}

const contains = (message: PeerMessage, text: string): boolean =>
  Buffer.from(encodeMessage(message)).includes(Buffer.from(text));

test('thesis §6.4 a follower asks for the read index only: no value crosses, and the answer comes of its own state', () => {
  const cluster = simulate({ seed: 5 }).untilServing();
  const leader = cluster.leader?.id as string;
  const value = 'a value that everybody holds '.repeat(100);
  const sent = sentIn(cluster);
  cluster.propose(value).runFor(300);
  expect(sent.some((message) => contains(message, value))).toBe(true);
  const others = [...cluster.replicas.keys()].filter((id) => id !== leader);
  const before = sent.length;
  for (const id of others) for (let times = 0; times < 20; times += 1) cluster.read(id);
  cluster.runFor(100);
  expect(cluster.answeredReads).toBe(40);
  const since = sent.slice(before);
  expect(since.filter((message) => contains(message, 'a value'))).toEqual([]);
  // One question for all reads of a turn, and an index for an answer.
  expect(since.filter(({ kind }) => kind === 'read-request')).toHaveLength(others.length);
  const replies = since.filter(({ kind }) => kind === 'read-reply');
  expect(replies).toHaveLength(others.length);
  for (const reply of replies)
    expect(reply).toEqual({
      kind: 'read-reply',
      requestId: expect.any(Number),
      readIndex: cluster.replica(leader).raft?.commitIndex,
    });
  cluster.verify();
});
