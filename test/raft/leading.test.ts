import { describe, expect, test } from '@jest/globals';
import { forwardProposal, noteProposeReply, noteUndeliverable, refuseProposal } from '../../src/raft/clients.js';
import { noteLeaderDurable, noteMatch } from '../../src/raft/commit.js';
import { becomeLeader, noteAppendReply, propose } from '../../src/raft/leading.js';
import { extend } from '../../src/raft/log-shape.js';
import type { AppendRejected, ProposeReply } from '../../src/raft/messages.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import { beginParkedReads, beginRead, refusePendingReads } from '../../src/raft/reads.js';
import { accepted, at, door, effectsOf, leaderOf, logOf, stateOf } from './states.js';

const local = { from: null, requestId: 7 };
const atWall = (wallMs: number) => ({ wallMs, nowMs: 0, isDiskBehind: false });

describe('commitment', () => {
  test('P11 §5.4.2 counting replicas commits only entries of the own term (Figure 8)', () => {
    const old = noteAppendReply(leaderOf(4, logOf(1, 2), { c: 0 }), 'b', accepted(4, 2));
    expect(old.state.commitIndex).toBe(0);
    const own = noteAppendReply(leaderOf(4, logOf(1, 2, 4)), 'b', accepted(4, 3));
    expect(own.state.commitIndex).toBe(3);
  });

  test('P14 late, doubled and reordered replies move a match index neither back nor wrongly', () => {
    const leader = leaderOf(1, logOf(1, 1, 1));
    const { state } = noteAppendReply(leader, 'b', accepted(1, 3));
    expect(noteAppendReply(state, 'b', accepted(1, 1)).state.matchIndex.b).toBe(3);
    expect(noteAppendReply(state, 'b', accepted(1, 3)).state).toEqual(state);
    expect(() => noteAppendReply(state, 'b', accepted(1, 4))).toThrow('never sent');
  });

  test('P11 what a follower says that its log has let go of is committed, and known to be', () => {
    const rejected = (rejectedIndex: number, index: number, term: number): AppendRejected => {
      const reply = { kind: 'append-reply', term: asTerm(4), accepted: false, readRound: asReadRound(0) } as const;
      return { ...reply, rejectedIndex: asIndex(rejectedIndex), lastPossibleMatch: at(index, term) };
    };
    const released = (index: number, term: number): AppendRejected => rejected(0, index, term);
    const leader = leaderOf(4, logOf(1, 2, 2, 4));
    const told = noteAppendReply(leader, 'b', released(3, 2));
    expect(told.state.commitIndex).toBe(3);
    expect(effectsOf(told, 'apply')).toEqual([{ kind: 'apply', upTo: 3 }]);
    expect(noteAppendReply(told.state, 'c', released(2, 2)).state.commitIndex).toBe(3);
    // What is not an entry of this log, and an ordinary rejection, say nothing of it.
    expect(noteAppendReply(leader, 'b', released(3, 1)).state.commitIndex).toBe(0);
    expect(noteAppendReply(leader, 'b', released(5, 4)).state.commitIndex).toBe(0);
    expect(noteAppendReply(leader, 'b', rejected(4, 3, 2)).state.commitIndex).toBe(0);
  });

  test("a stranger's acknowledgement commits nothing", () => {
    expect(noteAppendReply(leaderOf(1, logOf(1)), 'z', accepted(1, 1)).state.commitIndex).toBe(0);
  });

  test('P18 a single node commits only what its own disk has', () => {
    const { state } = propose(
      leaderOf(1, { ...logOf(), durableIndex: asIndex(0) }, {}, 'a'),
      { ...local, commands: [new Uint8Array(1)] },
      atWall(5),
    );
    expect(state.commitIndex).toBe(0);
    expect(noteLeaderDurable(state, at(1, 1)).state.commitIndex).toBe(1);
    const { state: longer } = propose(state, { ...local, commands: [new Uint8Array(1)] }, atWall(5));
    expect(noteLeaderDurable(longer, at(1, 1)).state.commitIndex).toBe(1);
  });

  test('P18 the leader of several counts its own copy only when it is durable', () => {
    const { state } = propose(
      leaderOf(1, logOf(), {}, 'abcde'),
      { ...local, commands: [new Uint8Array(1)] },
      atWall(5),
    );
    const two = noteAppendReply(noteAppendReply(state, 'b', accepted(1, 1)).state, 'c', accepted(1, 1));
    expect(two.state.commitIndex).toBe(0);
    expect(noteLeaderDurable(two.state, at(1, 1)).state.commitIndex).toBe(1);
  });

  test('P16 a majority without the leader commits, but the leader applies only what it has on disk', () => {
    const { state } = propose(leaderOf(1, logOf()), { ...local, commands: [new Uint8Array(1)] }, atWall(5));
    const committed = noteAppendReply(noteAppendReply(state, 'b', accepted(1, 1)).state, 'c', accepted(1, 1));
    expect(committed.state.commitIndex).toBe(1);
    expect(effectsOf(committed, 'apply')).toEqual([]);
    expect(effectsOf(noteLeaderDurable(committed.state, at(1, 1)), 'apply')).toEqual([{ kind: 'apply', upTo: 1 }]);
  });

  test('§5.3 four of seven are a majority, three are not', () => {
    const leader = leaderOf(1, logOf(1, 1), { b: 2, c: 1 }, 'abcdefg');
    expect(noteMatch(leader, 'd', asIndex(1)).commitIndex).toBe(0);
    expect(noteAppendReply(leader, 'd', accepted(1, 1)).state.commitIndex).toBe(1);
  });
});

describe('appending', () => {
  const elected = stateOf({ term: asTerm(3), log: logOf(1), votedFor: 'a', votes: { a: true, b: false, c: true } });

  test('§8 a new leader knows nothing of the others and begins with an entry of its own', () => {
    const { state, effects } = becomeLeader(elected, 99);
    expect(state.matchIndex).toEqual({ a: 0, b: 0, c: 0 });
    expect(effects[0]).toMatchObject({
      kind: 'write',
      records: [{ kind: 'entries', entries: [{ kind: 'no-op', index: 2, term: 3 }] }],
    });
  });

  test('§5.2 nobody leads without the votes of a majority', () => {
    const alone = { ...elected, votes: { a: true, b: false } };
    expect(() => becomeLeader(alone, 99)).toThrow('the votes of a majority');
  });

  test('only the leader appends', () => {
    expect(() => propose(stateOf({ leaderId: 'b' }), { ...local, commands: [new Uint8Array(1)] }, atWall(1))).toThrow(
      'only the leader appends',
    );
  });

  test('all that came in one turn is one write, and no message waits for it: followers write at the same time', () => {
    const step = propose(
      leaderOf(1, logOf(1)),
      { ...local, commands: [new Uint8Array(1), new Uint8Array(2)] },
      atWall(50),
    );
    expect(door(step)).toHaveLength(1);
    expect(door(step)[0]?.messages).toEqual([]);
    expect(effectsOf(step, 'replicate')).toHaveLength(1);
    expect(step.state.log.lastIndex).toBe(3);
  });

  test('P45 nothing is appended for callers who have given up, nor while the disk is behind', () => {
    const proposal = { ...local, commands: [new Uint8Array(1)] };
    const leader = leaderOf(1, logOf(1));
    const refused = [
      propose(leader, { ...proposal, remainingMs: 0 }, atWall(5)),
      propose(leader, proposal, { wallMs: 5, nowMs: 0, isDiskBehind: true }),
    ];
    expect(refused.map(({ state }) => state)).toEqual([leader, leader]);
    const notice = { type: 'proposals.refused', requestId: 7, leaderId: null };
    expect(refused.flatMap(({ effects }) => effects)).toEqual([
      { kind: 'notify', notice },
      { kind: 'notify', notice: { ...notice, behind: 'disk' } },
    ]);
  });

  test('a peer whose request is refused because the leader is behind is told so', () => {
    const proposal = { from: 'b', requestId: 7, commands: [new Uint8Array(1)] };
    const log = extend(logOf(1), asTerm(1), 131_073);
    const behind = { ...leaderOf(1, logOf(1)), log, lastApplied: asIndex(1) };
    const outcomes = [
      propose(behind, proposal, { wallMs: 5, nowMs: 0, isDiskBehind: true }),
      propose(behind, proposal, atWall(5)),
    ].map(({ effects }) => effects[0]);
    const message = { kind: 'propose-reply', requestId: 7, outcome: { kind: 'refused', leaderId: null } };
    const told = (cause: string) => ({ ...message, outcome: { ...message.outcome, behind: cause } });
    expect(outcomes).toEqual([
      { kind: 'send', to: 'b', message: told('disk') },
      { kind: 'send', to: 'b', message: told('state machine') },
    ]);
    const reply = told('disk') as unknown as ProposeReply;
    expect(noteProposeReply(leaderOf(1, logOf(1)), reply).effects).toEqual([
      { kind: 'notify', notice: { type: 'proposals.refused', requestId: 7, leaderId: null, behind: 'disk' } },
    ]);
  });

  test('nothing is appended while too much is not applied, but for a leader that still applies what was there before its term', () => {
    const proposal = { ...local, commands: [new Uint8Array(1)] };
    const lastIndexAfter = (more: number, lastApplied: number): number => {
      const log = extend(logOf(1), asTerm(1), 131_072 + more);
      const leader = { ...leaderOf(1, logOf(1)), log, lastApplied: asIndex(lastApplied) };
      return propose(leader, proposal, atWall(5)).state.log.lastIndex;
    };
    expect(lastIndexAfter(0, 1)).toBe(131_074);
    expect(lastIndexAfter(1, 1)).toBe(131_074);
    expect(lastIndexAfter(1, 2)).toBe(131_075);
    // Nothing of its term is applied yet.
    expect(lastIndexAfter(1, 0)).toBe(131_075);
  });

  test("the leader's time never goes back", () => {
    const { state } = propose(
      { ...leaderOf(1, logOf(1)), lastTimeMs: 80 },
      { ...local, commands: [new Uint8Array(1)] },
      atWall(50),
    );
    expect(state.lastTimeMs).toBe(80);
  });

  test('whoever waits learns the indexes before anything else happens', () => {
    const [first] = propose(leaderOf(1, logOf(1)), { ...local, commands: [new Uint8Array(1)] }, atWall(50)).effects;
    expect(first).toMatchObject({
      kind: 'notify',
      notice: { type: 'proposals.appended', requestId: 7, firstIndex: 2, term: 1 },
    });
  });
});

describe('reads', () => {
  test('P33 a late answer to an earlier round does not take back the echo of a later one', () => {
    const leader = leaderOf(1, logOf(1));
    const asked = { ...leader, reads: { ...leader.reads, current: asReadRound(2) } };
    const { state } = noteAppendReply(asked, 'b', accepted(1, 1, 2));
    expect(state.reads.echoed.b).toBe(2);
    expect(noteAppendReply(state, 'b', accepted(1, 1, 1)).state.reads.echoed.b).toBe(2);
  });

  const serving = { ...leaderOf(2, logOf(2, 2)), commitIndex: asIndex(2) };

  test('P33 each round has an identity of its own, and only an answer to it confirms it', () => {
    const first = beginRead(serving, local);
    const second = beginRead(first.state, { from: null, requestId: 8 });
    expect(second.state.reads.current).toBe(first.state.reads.current + 1);
    const old = noteAppendReply(second.state, 'b', accepted(2, 2, first.state.reads.current));
    const confirmed = effectsOf(old, 'notify').map(({ notice }) => notice);
    expect(confirmed).toEqual([{ type: 'reads.confirmed', requestId: 7, readIndex: 2 }]);
    expect(old.state.reads.pending).toHaveLength(1);
  });

  test('P34 an answer to what was sent before a read began confirms nothing', () => {
    const { state } = beginRead(serving, local);
    const stale = noteAppendReply(state, 'b', accepted(2, 2, state.reads.current - 1));
    expect(effectsOf(stale, 'notify')).toEqual([]);
  });

  test('a rejection of this term confirms leadership as well', () => {
    const { state } = beginRead(serving, local);
    const reply = {
      kind: 'append-reply',
      term: asTerm(2),
      accepted: false,
      rejectedIndex: asIndex(2),
      lastPossibleMatch: at(0, 0),
      readRound: asReadRound(1),
    } as const;
    expect(effectsOf(noteAppendReply(state, 'b', reply), 'notify')).toHaveLength(1);
  });

  test('P35 a new leader parks reads until it has committed in its own term', () => {
    const establishing = { ...leaderOf(3, logOf(2, 3)), commitIndex: asIndex(1) };
    const parked = beginRead(establishing, local);
    expect(effectsOf(parked, 'ask-for-round')).toEqual([]);
    const early = noteAppendReply(parked.state, 'c', accepted(3, 1, 9));
    expect(effectsOf(early, 'notify')).toEqual([]);
    const begun = beginParkedReads({ ...parked.state, commitIndex: asIndex(2) });
    expect(effectsOf(begun, 'ask-for-round')).toHaveLength(1);
    expect(begun.state.reads.pending).toEqual([{ origin: local, round: 1, readIndex: 2 }]);
  });

  test('P35 whoever waits when leadership ends is answered', () => {
    const remote = beginRead(beginRead(serving, local).state, { from: 'b', requestId: 3 });
    const refused = refusePendingReads(remote.state);
    expect(refused.state.reads.pending).toEqual([]);
    expect(refused.effects).toEqual([
      { kind: 'notify', notice: { type: 'reads.refused', requestId: 7, leaderId: null } },
      { kind: 'send', to: 'b', message: { kind: 'read-reply', requestId: 3, readIndex: null } },
    ]);
  });

  test('a single node needs nobody to confirm it', () => {
    const single = { ...leaderOf(1, logOf(1), {}, 'a'), commitIndex: asIndex(1) };
    expect(effectsOf(beginRead(single, local), 'notify')).toHaveLength(1);
  });
});

describe('passing on', () => {
  const commands = [new Uint8Array(1)];

  test('a follower passes its callers on to the leader, and says so', () => {
    const { effects } = forwardProposal(stateOf({ leaderId: 'b' }), { requestId: 7, remainingMs: 1_000, commands });
    expect(effects).toEqual([
      { kind: 'notify', notice: { type: 'proposals.forwarded', requestId: 7, to: 'b' } },
      { kind: 'send', to: 'b', message: { kind: 'propose-request', requestId: 7, remainingMs: 1_000, commands } },
    ]);
  });

  test('one hop: who does not lead refuses what a peer passed on, and names the leader', () => {
    const { effects } = refuseProposal(stateOf({ leaderId: 'c' }), { from: 'b', requestId: 7 });
    expect(effects).toEqual([
      {
        kind: 'send',
        to: 'b',
        message: { kind: 'propose-reply', requestId: 7, outcome: { kind: 'refused', leaderId: 'c' } },
      },
    ]);
  });

  test('what a link did not take was not done', () => {
    const { effects } = noteUndeliverable(stateOf(), {
      kind: 'propose-request',
      requestId: 7,
      remainingMs: 1_000,
      commands,
    });
    expect(effects).toEqual([{ kind: 'notify', notice: { type: 'proposals.refused', requestId: 7, leaderId: null } }]);
  });
});
