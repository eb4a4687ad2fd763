import { describe, expect, test } from '@jest/globals';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { LoneReplica } from '../../src/testing/index.js';
import { append, at, entry } from '../raft/states.js';
import { replicaOn } from './hanging-disk.js';

const voteRequest = (term: number): PeerMessage => {
  return {
    kind: 'vote-request',
    term: term as never,
    presentTerm: term as never,
    last: at(9, term - 1),
    preVote: false,
    transfer: false,
  };
};
const propose = (replica: LoneReplica, bytes = 8): LoneReplica => {
  return replica.send({ type: 'client.proposed', requestId: 1, commands: [new Uint8Array(bytes)] });
};
/** Time passes, with a leader that is heard: what these heartbeats are answered with vouches for nothing that the disk hangs on. */
function passUnder(leader: string, replica: LoneReplica): void {
  for (let beat = 0; beat < 9; beat += 1) replica.hear(leader, append(1, [0, 0], [])).pass(49);
}
/** What appends are answered with once the disk works again. */
function answersAfter(replica: LoneReplica, resume: () => void): readonly (number | string)[] {
  const before = replica.sentOf('append-reply').length;
  resume();
  replica.pass(1);
  const replies = replica.sentOf('append-reply').slice(before);
  return replies.map(({ message }) => (message.accepted ? message.matchIndex : 'rejected'));
}

const STALLED = { active: 'stalled' };

describe('P36 a replica whose disk hangs', () => {
  test('leads no more, knows that nobody leads, and lets another be elected', () => {
    const { replica, hang, resume } = replicaOn();
    replica.lead();
    hang();
    propose(replica).passHeard(400);
    expect(replica.value).toEqual(STALLED);
    const { context } = replica.actor.getSnapshot();
    expect([context.state.leaderId, Object.keys(context.replicators)]).toEqual([null, []]);
    expect(replica.noticesOf('leader.changed').at(-1)).toMatchObject({ leaderId: null });
    // A leader would not hear a candidate: it hears itself.
    replica.hear('c', voteRequest(7));
    expect(replica.term).toBe(7);
    resume();
    expect(replica.value).toEqual({ active: 'follower' });
  });

  test('drops what waits in its connections: it was sent by a leader that has given up', () => {
    const { replica, hang } = replicaOn();
    replica.lead();
    hang();
    const before = replica.noticesOf('link.changed').length;
    propose(replica).passHeard(400);
    const changes = replica.noticesOf('link.changed').slice(before);
    expect(changes.map(({ peer, reason }) => `${peer}: ${reason}`)).toEqual([
      'b: it led, and its disk hangs',
      'c: it led, and its disk hangs',
      'b: connected',
      'c: connected',
    ]);
  });

  test('has given up its election, where it stood for one', () => {
    const { replica, hang } = replicaOn();
    replica.ask();
    hang();
    replica.stand().pass(400);
    expect(replica.value).toEqual(STALLED);
    const ends = replica.noticesOf('election.ended').map(({ outcome }) => outcome);
    expect(ends).toHaveLength(replica.noticesOf('election.started').length);
  });

  test.each([
    ['a follower', 'follower', ['follower']],
    ['a candidate', 'candidate', ['follower', 'candidate', 'follower']],
    ['a leader', 'leader', ['follower', 'candidate', 'leader', 'follower']],
  ] as const)('tells of its role only where that is another one: %s', (_, role, told) => {
    const { replica, hang, resume } = replicaOn();
    if (role === 'leader') replica.lead();
    hang();
    if (role === 'leader') propose(replica).passHeard(400);
    else if (role === 'candidate') replica.stand().pass(400);
    else passUnder('b', replica.hear('b', append(1, [0, 0], [entry(1, 1)])));
    expect(replica.value).toEqual(STALLED);
    resume();
    expect(replica.value).toEqual({ active: 'follower' });
    expect(replica.noticesOf('role.changed').map((notice) => notice.role)).toEqual(told);
  });

  test('gives up after the longest election timeout, and not before', () => {
    const { replica, hang } = replicaOn();
    replica.lead();
    hang();
    propose(replica).passHeard(299);
    expect(replica.value).toMatchObject({ active: { leader: expect.anything() } });
    replica.passHeard(52);
    expect(replica.value).toEqual(STALLED);
    expect(replica.noticesOf('log.stalled')).toEqual([{ type: 'log.stalled', waitedMs: expect.any(Number) }]);
  });

  test('gives no vote, then or later, and times nothing', () => {
    const { replica, hang, resume } = replicaOn();
    replica.lead();
    hang();
    propose(replica).passHeard(400).hear('c', voteRequest(7));
    const { managers } = replica.actor.getSnapshot().context;
    expect(managers.electionManager.getSnapshot().value).toBe('idle');
    expect(managers.heartbeatManager.getSnapshot().value).toBe('idle');
    resume();
    replica.pass(10);
    expect(replica.sentOf('vote-reply')).toEqual([]);
    expect(replica.actor.getSnapshot().context.state.votedFor).toBeNull();
  });

  test('keeps what a leader sends, and answers with all of it in one reply when the disk works again', () => {
    const { replica, hang, resume } = replicaOn();
    replica.hear('b', append(1, [0, 0], []));
    hang();
    replica.hear('b', append(1, [0, 0], [entry(1, 1)]));
    passUnder('b', replica);
    expect(replica.value).toEqual(STALLED);
    replica.hear('b', append(1, [1, 1], [entry(2, 1), entry(3, 1)]));
    for (let beat = 0; beat < 5; beat += 1) replica.hear('b', append(1, [0, 0], []));
    expect(answersAfter(replica, resume).slice(-1)).toEqual([3]);
    expect(replica.value).toEqual({ active: 'follower' });
  });

  test('answers what vouches only for what is durable at once, and the rest when it is', () => {
    const { replica, hang, resume } = replicaOn();
    replica.hear('b', append(1, [0, 0], []));
    const before = replica.sentOf('append-reply').length;
    hang();
    replica
      .hear('b', append(1, [0, 0], [entry(1, 1)]))
      .hear('b', append(1, [1, 1], []))
      .hear('b', append(1, [8, 1], []));
    const answers = replica.sentOf('append-reply').slice(before);
    expect(answers.map(({ message }) => (message.accepted ? message.matchIndex : 'rejected'))).toEqual([0, 'rejected']);
    expect(answersAfter(replica, resume)).toEqual([1, 1]);
  });

  test('a refusal, which waits for nothing, does not take the place of an acknowledgement that waits', () => {
    const { replica, hang, resume } = replicaOn();
    replica.hear('b', append(1, [0, 0], []));
    hang();
    replica.hear('b', append(1, [0, 0], [entry(1, 1)]));
    passUnder('b', replica);
    replica.hear('b', append(1, [1, 1], [entry(2, 1)])).hear('b', append(1, [8, 1], []));
    expect(replica.sentOf('append-reply').at(-1)?.message.accepted).toBe(false);
    expect(answersAfter(replica, resume).slice(-1)).toEqual([2]);
  });
});

test('a leader takes no more proposals than its disk may be behind with: the others are refused, to be tried again', () => {
  const { replica, hang, resume } = replicaOn();
  replica.lead();
  hang();
  for (let n = 0; n < 100; n += 1) propose(replica, 1024 * 1024);
  const appended = replica.noticesOf('proposals.appended').length;
  expect(appended).toBeGreaterThan(60);
  expect(appended).toBeLessThan(70);
  expect(replica.noticesOf('proposals.refused')).toHaveLength(100 - appended);
  resume();
  propose(replica);
  expect(replica.noticesOf('proposals.appended')).toHaveLength(appended + 1);
});

test('a large write is given the time that a slow disk takes for it', () => {
  const { replica, hang } = replicaOn();
  replica.lead();
  hang();
  // 8 MiB at 16 MiB in a second.
  propose(replica, 8 * 1024 * 1024).passHeard(600);
  expect(replica.value).toMatchObject({ active: { leader: expect.anything() } });
  replica.passHeard(400);
  expect(replica.value).toEqual(STALLED);
});
