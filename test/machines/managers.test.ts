import { describe, expect, test } from '@jest/globals';
import { initialTransition, transition } from 'xstate';
import { electionManager } from '../../actors/election-manager.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { seeded } from '../../src/raft/random.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { LoneReplica, VirtualClock } from '../../src/testing/index.js';
import { accepted, append } from '../raft/states.js';

/** When the first election starts, for many seeds. */
const firstElections = (settings: object, seeds = 40): number[] => {
  return Array.from({ length: seeds }, (_, seed) => {
    const replica = new LoneReplica({ seed, settings });
    while (replica.noticesOf('prevote.started').length === 0) replica.pass(1);
    return replica.clock.now();
  });
};

describe('ElectionManager', () => {
  test('ELECTION_TIMEOUT_MIN and MAX: the timeout is random between them, and they change it', () => {
    const usual = firstElections({});
    expect(Math.min(...usual)).toBeGreaterThanOrEqual(150);
    expect(Math.max(...usual)).toBeLessThanOrEqual(305);
    expect(new Set(usual).size).toBeGreaterThan(10);
    const slow = firstElections({ ELECTION_TIMEOUT_MIN: 1_000, ELECTION_TIMEOUT_MAX: 1_100 });
    expect(Math.min(...slow)).toBeGreaterThanOrEqual(1_000);
    expect(Math.max(...slow)).toBeLessThanOrEqual(1_105);
  });

  test('a lower priority adds a quarter of the longest timeout for each step below the top', () => {
    const next = firstElections({ priority: 9 });
    expect(Math.min(...next)).toBeGreaterThanOrEqual(150 + 75);
    expect(Math.max(...next)).toBeLessThanOrEqual(305 + 75);
    expect(Math.min(...firstElections({ priority: 1 }))).toBeGreaterThanOrEqual(150 + 9 * 75);
  });

  test('what a lower priority adds halves with each wait in vain, and is whole again once a leader was heard', () => {
    const settings = { ...DEFAULT_SETTINGS, priority: 1 };
    const clock = new VirtualClock();
    let [elections] = initialTransition(electionManager, { settings, clock, chance: seeded(1) });
    const send = (event: object): void => {
      [elections] = transition(electionManager, elections, event as never);
    };
    /** Whether the wait's timeout is a random one and so much more. */
    const adds = (ms: number): boolean => {
      const { timeoutMs } = elections.context;
      return timeoutMs >= 150 + ms && timeoutMs <= 300 + ms;
    };
    const measure = (atMs: number, heardAtMs: number): void => {
      send({ type: 'xstate.after.ELECTION_TIMEOUT.electionManager.waiting.counting' });
      send({ type: 'silence.measured', atMs, leaderId: null, heardAtMs, missed: 0 });
    };
    send({ type: 'follower.entered' });
    expect(adds(675)).toBe(true);
    for (const [atMs, ms] of [
      [2_000, 337.5],
      [4_000, 168.75],
      [6_000, 84.375],
    ] as const) {
      measure(atMs, Number.NEGATIVE_INFINITY);
      send({ type: 'preCandidate.entered' });
      expect(elections.context.timeoutMs).toBeLessThanOrEqual(300);
      send({ type: 'follower.entered' });
      expect(adds(ms)).toBe(true);
    }
    measure(6_100, 6_050);
    expect(adds(675)).toBe(true);
    measure(6_200, 6_150);
    expect(adds(675)).toBe(true);
  });

  test('the same seed draws the same timeouts', () => {
    expect(firstElections({}, 5)).toEqual(firstElections({}, 5));
  });

  test('a leader that is heard keeps elections away, one that falls silent does not', () => {
    const replica = new LoneReplica();
    for (let beat = 0; beat < 40; beat += 1) replica.hear('b', append(1, [0, 0], [])).pass(49);
    expect(replica.noticesOf('prevote.started')).toHaveLength(0);
    replica.pass(310);
    const { reason = '' } = replica.noticesOf('prevote.started')[0] ?? {};
    const [, quietMs, missed] = /^nothing from leader b for (\d+) ms, (\d+) heartbeats missed$/.exec(reason) ?? [];
    expect(Number(quietMs)).toBeGreaterThanOrEqual(150);
    expect(Number(missed)).toBe(Math.floor(Number(quietMs) / DEFAULT_SETTINGS.HEARTBEAT_INTERVAL));
  });

  test("parts of a large message count as hearing the leader, another's do not", () => {
    const replica = new LoneReplica().hear('b', append(1, [0, 0], []));
    for (let part = 0; part < 20; part += 1) replica.hearPart('b').pass(50);
    expect(replica.noticesOf('prevote.started')).toHaveLength(0);
    for (let part = 0; part < 20; part += 1) replica.hearPart('c').pass(50);
    expect(replica.noticesOf('prevote.started').length).toBeGreaterThan(0);
  });

  test('§5.2 giving a vote gives the candidate time to win', () => {
    const replica = new LoneReplica().pass(140);
    replica.hear('b', {
      kind: 'vote-request',
      term: asTerm(1),
      presentTerm: asTerm(1),
      last: { index: asIndex(0), term: asTerm(0) },
      preVote: false,
      transfer: false,
    });
    replica.pass(148);
    expect(replica.noticesOf('prevote.started')).toHaveLength(0);
  });

  test('asks again those that have not answered, and only those', () => {
    const replica = new LoneReplica({ ids: 'abcde' }).stand();
    replica.hear('b', { kind: 'vote-reply', term: asTerm(1), granted: false, preVote: false });
    const before = replica.sentOf('vote-request').length;
    replica.pass(55);
    expect(
      replica
        .sentOf('vote-request')
        .slice(before)
        .map(({ to }) => to),
    ).toEqual(['c', 'd', 'e']);
  });

  test('reports how elections end', () => {
    const replica = new LoneReplica().lead();
    expect(replica.noticesOf('election.ended').map(({ outcome }) => outcome)).toEqual(['won']);
    const other = new LoneReplica().stand().hear('c', append(1, [0, 0], []));
    expect(other.noticesOf('election.ended').map(({ outcome }) => outcome)).toEqual(['lost']);
    const third = new LoneReplica().stand().pass(310);
    expect(third.noticesOf('election.ended').map(({ outcome }) => outcome)).toEqual(['timed out']);
  });

  describe('after a pause, when timers run before the sockets are read', () => {
    /** The process stands still; what came meanwhile lies in a socket, and is read after the timers that are due have run. */
    const standStill = (replica: LoneReplica, durationMs: number, arrived?: { from: string; message: PeerMessage }) => {
      replica.clock.pass(durationMs);
      if (arrived === undefined) return replica;
      replica.clock.defer(() => replica.send({ type: 'peer.received', ...arrived, atMs: replica.clock.now() }));
      return replica;
    };
    const beat = { from: 'b', message: append(1, [0, 0], []) };

    test.each([150, 170, 200, 250, 2_000])('of %i ms, a heartbeat that lay in a socket counts', (durationMs) => {
      for (let seed = 1; seed <= 20; seed += 1) {
        const replica = new LoneReplica({ seed }).hear('b', beat.message).pass(40).hear('b', beat.message);
        standStill(replica, durationMs, beat).pass(100);
        expect([seed, replica.noticesOf('prevote.started')]).toEqual([seed, []]);
      }
    });

    test('silence that was listened to for the last part only is listened to for a heartbeat more', () => {
      const replica = new LoneReplica().hear('b', beat.message);
      standStill(replica, 1_000).pass(45);
      expect(replica.noticesOf('prevote.started')).toEqual([]);
      // No leader speaks within that heartbeat either.
      replica.pass(60);
      expect(replica.noticesOf('prevote.started')).toHaveLength(1);
    });

    test('it listens for one to two heartbeats, for a random time, so that followers which stood still do not stand together', () => {
      const listenedMs = Array.from({ length: 30 }, (_, seed) => {
        const replica = new LoneReplica({ seed }).hear('b', beat.message);
        standStill(replica, 1_000);
        const wentOnAtMs = replica.clock.now();
        while (replica.noticesOf('prevote.started').length === 0) replica.pass(1);
        return replica.clock.now() - wentOnAtMs;
      });
      expect(Math.min(...listenedMs)).toBeGreaterThanOrEqual(50);
      expect(Math.max(...listenedMs)).toBeLessThanOrEqual(101);
      expect(new Set(listenedMs).size).toBeGreaterThan(10);
    });

    test('a pause that the leader has been heard after delays no later election', () => {
      const replica = new LoneReplica().hear('b', beat.message);
      standStill(replica, 1_000, beat).pass(60);
      for (let n = 0; n < 5; n += 1) replica.hear('b', beat.message).pass(49);
      const quietSinceMs = replica.clock.now() - 49;
      while (replica.noticesOf('prevote.started').length === 0) replica.pass(1);
      expect(replica.clock.now() - quietSinceMs).toBeLessThanOrEqual(305);
    });

    test('a candidate counts the votes that lay in its sockets before it stands again', () => {
      const replica = new LoneReplica().stand();
      const vote = { kind: 'vote-reply', term: asTerm(1), granted: true, preVote: false } as const;
      standStill(replica, 1_000, { from: 'b', message: vote }).pass(5);
      expect(replica.value).toMatchObject({ active: { leader: expect.anything() } });
      expect(replica.term).toBe(1);
    });
  });
});

describe('HeartbeatManager', () => {
  const beats = (replica: LoneReplica, to: string) => replica.sentOf('append').filter((sent) => sent.to === to);

  test('HEARTBEAT_INTERVAL: a leader beats once in it, and it changes that', () => {
    for (const HEARTBEAT_INTERVAL of [20, 50]) {
      const replica = new LoneReplica({ settings: { HEARTBEAT_INTERVAL } }).lead();
      const before = beats(replica, 'c').length;
      replica.passHeard(1_000);
      expect(beats(replica, 'c').length - before).toBe(1_000 / HEARTBEAT_INTERVAL);
    }
  });

  test('winning starts the beating, following ends it', () => {
    const replica = new LoneReplica().stand().pass(100);
    expect(replica.sentOf('append')).toHaveLength(0);
    replica
      .lead()
      .pass(100)
      .hear('c', append(9, [0, 0], []));
    const before = replica.sentOf('append').length;
    expect(before).toBeGreaterThan(0);
    expect(replica.pass(140).sentOf('append')).toHaveLength(before);
  });

  test.each([2, 3, 5])(
    'MAX_MISSED_HEARTBEATS %i: up, suspect after one, down after that many, up again when it answers',
    (max) => {
      const replica = new LoneReplica({ settings: { MAX_MISSED_HEARTBEATS: max } }).lead();
      const statusOf = (peer: string) => replica.actor.getSnapshot().context.state.peers[peer]?.status;
      const answer = (peer: string) => replica.hear(peer, accepted(replica.term, 0));
      const statuses = [statusOf('c')];
      for (let beat = 0; beat < max; beat += 1) {
        answer('b').pass(49);
        statuses.push(statusOf('c'));
      }
      expect(statuses[0]).toBe('up');
      expect(statuses.slice(1, max)).toEqual(Array.from({ length: max - 1 }, () => 'suspect'));
      expect(statuses[max]).toBe('down');
      expect(statusOf('b')).toBe('up');
      answer('c');
      expect(statusOf('c')).toBe('up');
      expect(replica.noticesOf('peer.changed').map(({ peer, status }) => `${peer} ${status}`)).toEqual([
        'c suspect',
        'c down',
        'c up',
      ]);
    },
  );

  test('who does not lead knows nothing of its peers', () => {
    const replica = new LoneReplica()
      .lead()
      .pass(200)
      .hear('c', append(9, [0, 0], []));
    expect(Object.values(replica.actor.getSnapshot().context.state.peers).map(({ status }) => status)).toEqual([
      null,
      null,
    ]);
  });
});

describe('both managers', () => {
  test('live as long as the node, and know each other', () => {
    const replica = new LoneReplica();
    const { electionManager, heartbeatManager } = replica.actor.getSnapshot().context.managers;
    expect(electionManager.getSnapshot().context.heartbeatManager).toBe(heartbeatManager);
    expect(heartbeatManager.getSnapshot().context.electionManager).toBe(electionManager);
    replica
      .lead()
      .hear('c', append(9, [0, 0], []))
      .send({ type: 'log.failed', error: new Error('gone') });
    expect(replica.actor.getSnapshot().context.managers).toEqual({ electionManager, heartbeatManager });
    expect(electionManager.getSnapshot()).toMatchObject({ status: 'active', value: 'idle' });
    expect(heartbeatManager.getSnapshot()).toMatchObject({ status: 'active', value: 'idle' });
  });

  test('can be stepped by transition() alone: what one has heard and missed decides at the other', () => {
    const clock = new VirtualClock();
    const settings = { ...DEFAULT_SETTINGS, ELECTION_TIMEOUT_MAX: DEFAULT_SETTINGS.ELECTION_TIMEOUT_MIN };
    let [elections] = initialTransition(electionManager, { settings, clock, chance: seeded(1) });
    [elections] = transition(electionManager, elections, { type: 'follower.entered' });
    expect(elections.value).toEqual({ waiting: 'counting' });
    const after = (event: { type: string }) => transition(electionManager, elections, event as never);
    [elections] = after({ type: 'xstate.after.ELECTION_TIMEOUT.electionManager.waiting.counting' });
    expect(elections.value).toEqual({ waiting: 'reading' });
    const heard = { type: 'silence.measured', leaderId: 'b', heardAtMs: 140, missed: 0, atMs: 150 } as const;
    expect(transition(electionManager, elections, heard)[0].value).toEqual({ waiting: 'counting' });
    const missed = { type: 'silence.measured', leaderId: 'b', heardAtMs: 0, missed: 3, atMs: 150 } as const;
    const [, actions] = transition(electionManager, elections, missed);
    expect(actions.find(({ type }) => type === 'xstate.sendTo')?.params).toMatchObject({
      event: { type: 'election.timedOut', reason: 'nothing from leader b for 150 ms, 3 heartbeats missed' },
    });
    const paused = transition(electionManager, elections, { type: 'pause.ended', atMs: 149 })[0];
    expect(transition(electionManager, paused, missed)[0].value).toEqual({ waiting: 'listening' });
  });
});
