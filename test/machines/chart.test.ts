import { describe, expect, test } from '@jest/globals';
import type { AnyStateNode } from 'xstate';
import { electionManager } from '../../actors/election-manager.js';
import { heartbeatManager } from '../../actors/heartbeat-manager.js';
import { link } from '../../actors/link.js';
import { replicator } from '../../actors/replicator.js';
import { leadership, replicaMachine, roleOf } from '../../machines/index.js';
import type { Index } from '../../src/raft/numbers-and-ids.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { LoneReplica, Recorder } from '../../src/testing/index.js';
import { accepted, append, at, entry } from '../raft/states.js';
import { replicaOn } from './hanging-disk.js';

const vote = (term: number, granted = true) =>
  ({ kind: 'vote-reply', term: asTerm(term), granted, preVote: false }) as const;
const voteRequest = (term: number) => {
  return {
    kind: 'vote-request',
    term: asTerm(term),
    presentTerm: asTerm(term),
    last: { index: asIndex(9), term: asTerm(term - 1) },
    preVote: false,
    transfer: false,
  } as const;
};
const FOLLOWER = { active: 'follower' };
const CANDIDATE = { active: 'candidate' };
const ESTABLISHING = { active: { leader: 'establishing' } };

describe("the seed's transitions", () => {
  test('a node starts by recovering, and follows', () => {
    const replica = new LoneReplica();
    expect(replica.value).toEqual(FOLLOWER);
    expect(replica.notices.map(({ type }) => type)).toEqual([
      'node.recovered',
      'state.opened',
      'role.changed',
      'link.changed',
      'link.changed',
    ]);
  });

  test('timeout: a follower that hears nobody asks whether it could win, and takes no term for it', () => {
    const replica = new LoneReplica().ask();
    expect(replica.value).toEqual({ active: 'preCandidate' });
    expect(replica.term).toBe(0);
    const asked = replica.sentOf('vote-request').map(({ to, message }) => [to, message.preVote, message.term]);
    expect(asked).toEqual([
      ['b', true, 1],
      ['c', true, 1],
    ]);
  });

  test('a majority would vote for it: it becomes a candidate of the next term and asks for votes', () => {
    const replica = new LoneReplica().stand();
    expect(replica.value).toEqual(CANDIDATE);
    expect(replica.term).toBe(1);
    const asked = replica.sentOf('vote-request').filter(({ message }) => !message.preVote);
    expect(asked.map(({ to }) => to)).toEqual(['b', 'c']);
  });

  test('majority votes: a candidate becomes leader, and beats at once', () => {
    const replica = new LoneReplica().stand();
    replica.hear('b', vote(1));
    expect(replica.value).toEqual(ESTABLISHING);
    expect(replica.sentOf('append').map(({ to }) => to)).toEqual(['b', 'c']);
  });

  test('a minority of votes, or refusals, make no leader', () => {
    const replica = new LoneReplica({ ids: 'abcde' }).stand();
    replica.hear('b', vote(1)).hear('c', vote(1, false)).hear('d', vote(1, false));
    expect(replica.value).toEqual(CANDIDATE);
  });

  test('timeout: a candidate that does not win asks again, and stands in the term after', () => {
    const replica = new LoneReplica().stand().pass(400);
    expect([replica.value, replica.term]).toEqual([{ active: 'preCandidate' }, 1]);
    expect([replica.stand().value, replica.term]).toEqual([CANDIDATE, 2]);
  });

  test('higher term: a candidate follows', () => {
    const replica = new LoneReplica().stand().hear('b', vote(7, false));
    expect(replica.value).toEqual(FOLLOWER);
    expect(replica.term).toBe(7);
  });

  test('§5.2 a candidate follows whoever leads its own term', () => {
    expect(new LoneReplica().stand().hear('b', append(1, [0, 0], [])).value).toEqual(FOLLOWER);
  });

  test('higher term: a leader follows', () => {
    const replica = new LoneReplica().lead().hear('c', append(5, [0, 0], []));
    expect(replica.value).toEqual(FOLLOWER);
    expect(replica.term).toBe(5);
  });

  test('§8 a leader serves once an entry of its own term is committed', () => {
    const replica = new LoneReplica().lead();
    expect(replica.value).toEqual(ESTABLISHING);
    replica.hear('b', accepted(1, 1));
    expect(replica.value).toEqual({ active: { leader: 'serving' } });
  });

  test('a cluster of one elects itself', () => {
    const replica = new LoneReplica({ ids: 'a' }).pass(400);
    expect(replica.value).toEqual({ active: { leader: 'serving' } });
  });

  test('a follower whose disk is full hears that the connection to its leader closed, and votes for another at once', () => {
    const replica = new LoneReplica().send({ type: 'link.opened', peer: 'b' }).hear('b', append(1, [0, 0], []));
    replica.send({ type: 'log.full', error: new Error('no space') });
    expect(replica.value).toEqual({ active: 'full' });
    const preVote = { ...voteRequest(2), preVote: true };
    replica.hear('c', preVote).send({ type: 'link.closed', peer: 'b', reason: 'the connection was closed' });
    replica.hear('c', preVote);
    expect(replica.sentOf('vote-reply').map(({ message }) => message.granted)).toEqual([false, true]);
  });
});

test('a candidate tells of its role once, of its elections each time, and each time that it asks first', () => {
  const replica = new LoneReplica().stand();
  for (let n = 2; n < 6; n += 1) {
    replica.pass(400).stand();
    expect(replica.noticesOf('election.started')).toHaveLength(n);
    expect(replica.noticesOf('prevote.started').length).toBeGreaterThanOrEqual(n);
  }
  expect(replica.noticesOf('role.changed').map(({ role }) => role)).toEqual(['follower', 'candidate']);
});

describe('the gate', () => {
  test('a follower that adopts a newer term stays where it is: nothing that it runs starts anew', () => {
    const replica = new LoneReplica();
    const before = replica.noticesOf('role.changed').length;
    replica.hear('b', voteRequest(4));
    expect(replica.term).toBe(4);
    expect(replica.noticesOf('role.changed')).toHaveLength(before);
  });

  test('the newer term is on disk before the answer leaves, a vote or a refusal', () => {
    for (const [entries, granted] of [
      [[], true],
      [[entry(1, 9)], false],
    ] as const) {
      const { replica, hang, resume } = replicaOn();
      replica.hear('b', append(9, [0, 0], entries)).pass(200);
      hang();
      replica.hear('c', { ...voteRequest(12), last: at(0, 0) });
      expect(replica.term).toBe(12);
      expect(replica.sentOf('vote-reply')).toEqual([]);
      resume();
      expect(replica.sentOf('vote-reply').map(({ message }) => message)).toEqual([vote(12, granted)]);
    }
  });

  test('an older request is answered with the present term, and changes nothing', () => {
    const replica = new LoneReplica().hear('b', append(6, [0, 0], []));
    replica.hear('c', append(2, [0, 0], []));
    expect(replica.sentOf('append-reply').at(-1)).toMatchObject({ to: 'c', message: { term: 6, accepted: false } });
    expect(replica.actor.getSnapshot().context.state.leaderId).toBe('b');
  });

  test('a halted node stays halted, whatever term it hears', () => {
    const replica = new LoneReplica().send({ type: 'log.failed', error: new Error('the disk is gone') });
    expect(replica.value).toBe('halted');
    replica.send({ type: 'peer.received', from: 'b', message: append(9, [0, 0], []), atMs: 0 });
    expect(replica.value).toBe('halted');
    expect(replica.actor.getSnapshot().status).toBe('active');
    expect(replica.noticesOf('node.halted')).toHaveLength(1);
  });

  test('a rule that meets a state nobody foresaw halts the node: two leaders of one term', () => {
    const replica = new LoneReplica().hear('b', append(3, [0, 0], [])).hear('c', append(3, [0, 0], []));
    expect(replica.value).toBe('halted');
    expect(replica.actor.getSnapshot().context.haltedBy?.message).toMatch('at most one leader');
  });

  test('a command at a halted node is refused, not forgotten', () => {
    const replica = new LoneReplica().send({ type: 'log.failed', error: new Error('gone') });
    replica.send({ type: 'client.proposed', requestId: 5, commands: [new Uint8Array(1)] });
    expect(replica.noticesOf('proposals.refused')).toEqual([
      { type: 'proposals.refused', requestId: 5, leaderId: null },
    ]);
  });
});

describe('only the leader appends', () => {
  const proposed = { type: 'client.proposed', requestId: 1, commands: [new Uint8Array(1)] } as const;

  test('a follower without a leader refuses, one with a leader passes on', () => {
    const replica = new LoneReplica().send(proposed);
    expect(replica.noticesOf('proposals.refused')).toHaveLength(1);
    replica.hear('b', append(1, [0, 0], [])).send({ ...proposed, requestId: 2 });
    expect(replica.sentOf('propose-request').map(({ to }) => to)).toEqual(['b']);
    expect(replica.actor.getSnapshot().context.state.log.lastIndex).toBe(0);
  });

  test('one hop: a follower refuses what a peer passed on', () => {
    const replica = new LoneReplica().hear('b', append(1, [0, 0], []));
    replica.hear('c', { kind: 'propose-request', requestId: 4, remainingMs: 1_000, commands: [new Uint8Array(1)] });
    expect(replica.sentOf('propose-reply').at(-1)?.message.outcome).toEqual({ kind: 'refused', leaderId: 'b' });
  });

  test('a candidate refuses', () => {
    expect(new LoneReplica().stand().send(proposed).noticesOf('proposals.refused')).toHaveLength(1);
  });
});

describe('the role', () => {
  test('is read from the chart and stored nowhere', () => {
    const snapshot = new LoneReplica().lead().actor.getSnapshot();
    expect(Object.keys(snapshot.context.state)).not.toContain('role');
    expect(roleOf(snapshot)).toBe('leader');
  });

  test('a chart that failed altogether is halted, wherever it was', () => {
    expect(roleOf({ ...new LoneReplica().lead().actor.getSnapshot(), status: 'error' })).toBe('halted');
  });

  test('is one of the tags, which say what callers may do as well', () => {
    const tagsOf = (replica: LoneReplica) => [...replica.actor.getSnapshot().tags].sort();
    const replica = new LoneReplica();
    expect(tagsOf(replica)).toEqual(['follower']);
    expect(tagsOf(replica.stand())).toEqual(['candidate']);
    expect(tagsOf(replica.hear('b', vote(1)))).toEqual(['leader']);
    expect(tagsOf(replica.hear('b', accepted(1, 1)))).toEqual(['leader', 'writable']);
    expect(tagsOf(replica.send({ type: 'log.failed', error: new Error('gone') }))).toEqual(['halted']);
  });
});

test('a snapshot tells of its own moment, however much happens afterwards', () => {
  const replica = new LoneReplica();
  const before = replica.actor.getSnapshot();
  const written = JSON.stringify(before);
  const { state } = before.context;
  replica.lead().hear('b', accepted(1, 1));
  expect(before.context.state).toBe(state);
  expect([roleOf(before), state.term, state.leaderId]).toEqual(['follower', 0, null]);
  expect(JSON.parse(written).context.state).toEqual(JSON.parse(JSON.stringify(before)).context.state);
  expect(roleOf(replica.actor.getSnapshot())).toBe('leader');
});

test('every state of every chart says what it is', () => {
  const led = leadership({ actor: new LoneReplica().actor });
  const nameless = [replicaMachine, electionManager, heartbeatManager, link, replicator, led].flatMap((machine) => {
    const states = [
      ...(machine.root as unknown as { machine: { idMap: Map<string, AnyStateNode> } }).machine.idMap.values(),
    ];
    return states.filter((node) => node.parent !== undefined && !node.description).map(({ id }) => id);
  });
  expect(nameless).toEqual([]);
});

describe('a state machine that keeps its state itself', () => {
  class Persistent extends Recorder {
    readonly #applied: number;
    constructor(applied: number) {
      super();
      this.#applied = applied;
    }
    open(): Index {
      return asIndex(this.#applied);
    }
  }

  test('P16 with more in it than the log holds, halts the node before it takes part', () => {
    const replica = new LoneReplica({ ids: 'a', input: { stateMachine: new Persistent(10) } });
    replica.pass(1_000);
    expect(replica.value).toBe('halted');
    expect(replica.noticesOf('node.halted')[0]?.error.message).toMatch(/applied 10 entries, and the log holds only 0/);
    expect(replica.term).toBe(0);
  });

  test('what it held from the start may be read at once', () => {
    const replica = new LoneReplica({ input: { stateMachine: new Persistent(0) } });
    expect(replica.noticesOf('state.opened')).toEqual([{ type: 'state.opened', applied: 0 }]);
  });
});
