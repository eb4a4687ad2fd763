import { describe, expect, test } from '@jest/globals';
import { beginComparing, compareWithBeat, haltAsToldTo, noteHashReply, noteOwnHash } from '../../src/raft/comparing.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { unchanged } from '../../src/raft/effects.js';
import { beat } from '../../src/raft/leading.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { noteHalted, noteLink, noteStatus } from '../../src/raft/peers.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { leaderOf, logOf, stateOf } from './states.js';

/** Server `a`, which leads, and has committed an entry of its own term. */
function leading(ids = 'abc'): ReplicaState {
  return { ...leaderOf(2, logOf(1, 2, 2), {}, ids), commitIndex: asIndex(2) };
}

const asked = (state: ReplicaState, nowMs: number): Step => compareWithBeat(unchanged(state), nowMs);

const own = (state: ReplicaState, hash: string, tookMs = 0): Step =>
  noteOwnHash(state, { index: state.comparison.index, hash, tookMs });

function reply(state: ReplicaState, from: string, hash: string, index = 3): Step {
  return noteHashReply(state, from, { kind: 'hash-reply', term: asTerm(2), index: asIndex(index), hash });
}

const halts = ({ effects }: Step): string | undefined => {
  const last = effects.at(-1);
  return last?.kind === 'halt' ? last.error.message : undefined;
};

const told = ({ effects }: Step): readonly string[] =>
  effects.flatMap((effect: Effect) =>
    effect.kind === 'send' && effect.message.kind === 'divergence' ? [effect.to] : [],
  );

describe('the states of replicas', () => {
  test("are hashed after the leader's last entry, which nobody has passed, with a heartbeat", () => {
    const step = compareWithBeat(beat(leading()), 1_000);
    expect(step.effects).toEqual([
      { kind: 'beat' },
      { kind: 'send', to: 'b', message: { kind: 'hash-request', term: 2, index: 3 } },
      { kind: 'send', to: 'c', message: { kind: 'hash-request', term: 2, index: 3 } },
      { kind: 'hash', index: 3 },
    ]);
  });

  test('are hashed again 300 ms later where all have answered, and after 900 ms where one lacks', () => {
    const begun = asked(leading(), 1_000).state;
    expect(asked(begun, 1_899).effects).toEqual([]);
    expect(asked(begun, 1_900).effects).toHaveLength(3);
    const answered = ['b', 'c'].reduce((state, peer) => reply(state, peer, 'aa').state, own(begun, 'aa').state);
    expect(asked(answered, 1_299).effects).toEqual([]);
    expect(asked(answered, 1_300).effects).toHaveLength(3);
    const down = noteStatus(reply(own(begun, 'aa').state, 'b', 'aa').state, 'c', 'down', 3).state;
    expect(asked(down, 1_300).effects).toHaveLength(3);
  });

  test('are not hashed before an entry of the own term is committed', () => {
    expect(asked({ ...leading(), commitIndex: asIndex(1) }, 1_000).effects).toEqual([]);
  });

  test('that a majority shares are agreed on at that index', () => {
    const begun = asked(leading(), 1_000).state;
    const one = own(begun, 'aa').state;
    expect(one.comparison.agreedIndex).toBe(0);
    expect(reply(one, 'b', 'aa')).toMatchObject({ state: { comparison: { agreedIndex: 3 } }, effects: [] });
  });

  test('one that differs from a majority halts, whichever comes first', () => {
    const begun = asked(leading(), 1_000).state;
    const late = reply(reply(own(begun, 'aa').state, 'b', 'aa').state, 'c', 'cc');
    const early = reply(own(reply(begun, 'c', 'cc').state, 'aa').state, 'b', 'aa');
    for (const step of [late, early]) {
      expect([told(step), halts(step)]).toEqual([['c'], undefined]);
      const reason = expect.stringContaining('replica c differs from that of');
      expect(step.effects[0]).toEqual({
        kind: 'notify',
        notice: { type: 'replica.diverged', peer: 'c', index: 3, reason },
      });
      expect(step.effects[1]).toMatchObject({ message: { reason: expect.stringMatching(/entry 3 .* cc, theirs aa/) } });
    }
    // It is told once for one comparison.
    expect(reply(late.state, 'c', 'cc').effects).toEqual([]);
  });

  test('a leader in the minority halts itself', () => {
    const begun = asked(leading(), 1_000).state;
    const step = reply(reply(own(begun, 'cc').state, 'b', 'aa').state, 'c', 'aa');
    expect(halts(step)).toMatch(/replica a differs from that of b and c: after entry 3 its hash is cc, theirs aa/);
    expect(told(step)).toEqual([]);
  });

  test('where no majority agrees, all halt whose hash is known, because nobody knows who is right', () => {
    const two = asked(leading('ab'), 1_000).state;
    const step = reply(own(two, 'aa').state, 'b', 'bb');
    expect(told(step)).toEqual(['b']);
    expect(halts(step)).toMatch(
      /states of a and b differ, and no majority .* aa at a and bb at b. Which one is wrong is not known/,
    );

    const three = reply(own(asked(leading(), 1_000).state, 'aa').state, 'b', 'bb');
    expect(three.effects).toEqual([]);
    const noThird = asked(three.state, 1_900);
    expect([told(noThird), halts(noThird) === undefined]).toEqual([['b'], false]);
  });

  test('of five, two that differ each halt', () => {
    const begun = own(asked(leading('abcde'), 1_000).state, 'aa').state;
    const known = ['d', 'e'].reduce((state, peer) => reply(state, peer, `${peer}${peer}`).state, begun);
    const step = reply(reply(known, 'b', 'aa').state, 'c', 'aa');
    expect([told(step), halts(step)]).toEqual([['d', 'e'], undefined]);
  });

  test('answers for another index, and of those that do not count, mean nothing', () => {
    const begun = own(asked(leading(), 1_000).state, 'aa').state;
    for (const step of [reply(begun, 'b', 'bb', 2), reply(begun, 'z', 'bb')]) expect(step).toEqual(unchanged(begun));
    // The leader's own answer may be to what it was asked in an earlier term.
    const unanswered = asked(leading(), 1_000).state;
    expect(noteOwnHash(unanswered, { index: asIndex(2), hash: 'bb', tookMs: 0 })).toEqual(unchanged(unanswered));
  });

  test('a new leader knows up to where they were equal, and has nobody asked yet', () => {
    const agreed = reply(own(asked(leading(), 1_000).state, 'aa').state, 'b', 'aa').state;
    const { comparison } = beginComparing(agreed);
    expect(comparison).toEqual({ ...leading().comparison, agreedIndex: 3 });
    expect(asked(beginComparing(agreed), 1_001).effects).toHaveLength(3);
  });

  test('a follower answers its leader once its term is durable (P1), and nobody where there is none, or where its state machine has no hash', () => {
    const follower = stateOf({ id: 'b', leaderId: 'a', term: asTerm(2) });
    const hashed = { index: asIndex(3), hash: 'aa', tookMs: 0 };
    expect(noteOwnHash(follower, hashed).effects).toEqual([
      { kind: 'answer', to: 'a', message: { kind: 'hash-reply', term: 2, index: 3, hash: 'aa' } },
    ]);
    expect(noteOwnHash({ ...follower, leaderId: null }, hashed).effects).toEqual([]);
    expect(noteOwnHash(follower, { ...hashed, hash: '' }).effects).toEqual([]);
  });

  test('hashing takes a hundredth of the time at the most, and a hash that takes longer than 50 ms is not asked for again', () => {
    const answered = (tookMs: number): Step => {
      const first = own(asked(leading('a'), 0).state, 'aa', tookMs);
      expect(first.effects).toEqual([]);
      return own(asked(first.state, 1_000).state, 'aa', tookMs);
    };
    expect(asked(answered(15).state, 2_499).effects).toEqual([]);
    expect(asked(answered(15).state, 2_500).effects).not.toEqual([]);
    const slow = answered(51);
    expect(slow.effects).toEqual([{ kind: 'notify', notice: { type: 'hash.slow', tookMs: 51 } }]);
    expect(asked(slow.state, 1e9).effects).toEqual([]);
    expect(asked(answered(0).state, 1e9).effects).not.toEqual([]);
    // One that took long by chance changes nothing.
    const once = own(asked(leading('a'), 0).state, 'aa', 500).state;
    expect(asked(once, 300).effects).not.toEqual([]);
    expect(asked(own(asked(leading(), 0).state, '').state, 1e9).effects).toEqual([]);
  });

  test('a replica that is told so halts, with the reason that it was told', () => {
    const message = { kind: 'divergence', term: asTerm(2), index: asIndex(3), reason: 'it differs' } as const;
    expect(halts(haltAsToldTo(stateOf(), message))).toBe('it differs');
  });

  test('what a peer said when it halted is known until it is connected again', () => {
    const halted = noteHalted(stateOf(), 'b', 'its state differs');
    expect(halted.effects).toEqual([
      { kind: 'notify', notice: { type: 'peer.halted', peer: 'b', reason: 'its state differs' } },
    ]);
    const closed = noteLink(halted.state, 'b', false, 'gone').state;
    expect(closed.peers.b?.haltedBy).toBe('its state differs');
    expect(noteLink(closed, 'b', true, 'connected').state.peers.b?.haltedBy).toBeNull();
    expect(noteHalted(stateOf(), 'z', 'x').effects).toEqual([]);
  });
});
