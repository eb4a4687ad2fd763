import { describe, expect, test } from '@jest/globals';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { CountedTransport } from '../../src/report/counted-transport.js';
import { EventLoopWatch } from '../../src/report/event-loop-watch.js';
import { Latencies } from '../../src/report/latencies.js';
import { LinkRates } from '../../src/report/link-rates.js';
import { MeasuredCalls } from '../../src/report/measured-calls.js';
import { MetricsMaker } from '../../src/report/metrics-maker.js';
import { ReportMaker } from '../../src/report/report-maker.js';
import { TimedLogStore } from '../../src/report/timed-log-store.js';
import { TrailWatch } from '../../src/report/trail-watch.js';
import type { LogStore } from '../../src/seams/log-store.js';
import type { DialEvents, Inbound, Transport } from '../../src/seams/transport.js';
import { VirtualClock } from '../../src/testing/index.js';

/** A transport whose connection takes every second message; what it was given is kept. */
function countedTransport(clock = new VirtualClock()) {
  const given: { inbound?: Inbound; events?: DialEvents } = {};
  let sends = 0;
  const inner: Transport = {
    accept: (_, inbound) => {
      given.inbound = inbound;
      return () => undefined;
    },
    dial: (_, __, events) => {
      given.events = events;
      const send = (): boolean => {
        sends += 1;
        return sends % 2 === 1;
      };
      return { send, peerArrived: () => undefined, close: () => undefined };
    },
  };
  return { clock, given, transport: new CountedTransport(inner, clock) };
}

/** A chart's actor in a state, as far as reports look at it. */
const actorIn = (state: string, context: object = {}) => ({
  getSnapshot: () => ({
    status: 'active',
    context,
    matches: (value: unknown) => JSON.stringify(value) === JSON.stringify(state),
  }),
});

/** The report at 10 s of a node that last heard its leader at 9.9 s, and whose timer of 250 ms was set at 9.8 s. */
function reportOf(timerState: string, change: object = {}, role = 'follower') {
  const { transport } = countedTransport();
  transport.with('b').closedAtMs = 9_700;
  const electionManager = actorIn(timerState, { timeoutMs: 250, quietSinceMs: 9_800, campaignSinceMs: 9_850 });
  const runs = Array.from({ length: 20 }, (_, at) => [at * 10 + 1, at + 1]);
  const state = {
    ...{ peers: { b: { link: { reason: 'connect ECONNREFUSED' } } }, leaderHeardAtMs: 9_900, voters: ['a', 'b'] },
    ...{ votes: { a: true }, preVotes: {}, commitIndex: 198, lastApplied: 197, comparison: { agreedIndex: 190 } },
    ...{ log: { lastIndex: 200, durableIndex: 199, runs, previous: { index: 0, term: 0 } }, ...change },
  };
  const context = {
    state,
    managers: { electionManager, heartbeatManager: actorIn('', { unanswered: { b: 4 } }) },
    links: { b: actorIn('backingOff', { backoffMs: 400 }) },
  };
  const status = () => ({ role, term: 20, leaderId: 'b', members: [], snapshot: null, receiving: null, state: 'x' });
  const calls = { whyNotReady: () => undefined, haltReason: () => null };
  const waiting = () => ({ commands: 1, reads: 2, oldestReceivedMs: 9_000 });
  const node = { actor: actorIn('', context), state, status, ...calls, waiting };
  return new ReportMaker(node as never, transport).make(10_000, 1, 3);
}

describe('a report', () => {
  test('says what is left of the timer: from when the leader was heard, or from when the node began to ask', () => {
    expect(reportOf('waiting').timer).toEqual({ lengthMs: 250, restMs: 150 });
    expect(reportOf('waiting', { leaderHeardAtMs: 0 }).timer?.restMs).toBe(50);
    expect(reportOf('asking').timer?.restMs).toBe(100);
    expect(reportOf('campaigning').timer?.restMs).toBe(100);
    expect(reportOf('idle').timer).toBeNull();
  });

  test('says of a broken link why, and when it is dialed again; a leader, how many heartbeats before the last were not answered', () => {
    const [link] = reportOf('waiting').links;
    expect(link).toMatchObject({ peer: 'b', state: 'waiting', reason: 'connection refused', nextDialInMs: 100 });
    expect(link?.unanswered).toBeNull();
    expect(reportOf('idle', {}, 'leader').links[0]?.unanswered).toBe(3);
  });

  test('has the newest terms, where states agree, who waits, and of a node that asks for pre-votes those', () => {
    const { log, waiting, votes } = reportOf('waiting', { preVotes: { b: true } }, 'candidate');
    expect(log.terms).toHaveLength(16);
    expect(log.terms.at(-1)).toEqual({ startIndex: 191, term: 20 });
    expect(log).toMatchObject({
      lastIndex: 200,
      durableIndex: 199,
      commitIndex: 198,
      appliedIndex: 197,
      agreedIndex: 190,
    });
    expect(waiting).toEqual({ puts: 1, reads: 2, oldestMs: 1_000, endedUnknown: 3 });
    expect(votes).toEqual({ a: null, b: true });
    expect(reportOf('waiting', {}, 'candidate').votes).toEqual({ a: true, b: null });
  });
});

test('metrics are of the time since the last: all reads, errors that are new, and at a leader who lacks how much', () => {
  const clock = new VirtualClock();
  const unknown: number[] = [];
  const calls = new MeasuredCalls(clock, (afterMs) => unknown.push(afterMs));
  const maker = new MetricsMaker(calls, new Latencies(), new EventLoopWatch());
  const state = {
    id: 'a',
    leaderId: 'a',
    peers: { b: {}, c: {} },
    matchIndex: { a: 9, b: 5, c: 0 },
    log: { lastIndex: 9 },
  };
  calls.readsDone(3, 0, true);
  calls.staleReads += 4;
  calls.failed('read', new QuorateError('QUORATE_OUTCOME_UNKNOWN', 'x'), 0);
  const { readsPerSecond, errors, behind } = maker.take(2_000, 1, state as never);
  expect([readsPerSecond, errors, behind]).toEqual([4, { OUTCOME_UNKNOWN: 1 }, { b: 4 }]);
  expect([calls.leaseReads, calls.endedUnknown, unknown]).toEqual([3, 0, []]);
  const next = maker.take(3_000, 1, { ...state, leaderId: 'b' } as never);
  expect([next.readsPerSecond, next.errors, next.behind]).toEqual([0, {}, null]);
});

test('the messages of a link are those of the last second, a second', () => {
  const rates = new LinkRates();
  const at = (nowMs: number, sent: number) => rates.at(nowMs, 'b', { sent, received: 0 }).sentPerSecond;
  expect([at(0, 0), at(500, 50), at(1_000, 100), at(1_500, 100), at(2_000, 100)]).toEqual([0, 100, 100, 50, 0]);
});

test('a counted transport counts what is taken and received, knows when it was closed, and passes everything on', () => {
  const { clock, given, transport } = countedTransport();
  const told: string[] = [];
  const tell = (word: string) => () => void told.push(word);
  transport.accept({} as never, { arrived: tell('arrived'), received: tell('received') } as never, {} as never);
  const events = { opened: tell('opened'), delayed: tell('delayed'), roomMade: tell('room'), closed: tell('closed') };
  const connection = transport.dial({} as never, { id: 'b', address: 'b' }, events, {} as never);
  expect([1, 2, 3].map(() => connection.send({} as never))).toEqual([true, false, true]);
  given.inbound?.received('b', {} as never);
  given.events?.opened();
  given.events?.delayed('');
  given.events?.roomMade();
  clock.runFor(700);
  given.events?.closed('', false);
  expect(transport.with('b')).toEqual({ sent: 2, received: 1, closedAtMs: clock.now() });
  expect(told).toEqual(['received', 'opened', 'delayed', 'room', 'closed']);
});

test('a timed log store notes how long a sync took, and lets go of entries as the log does', () => {
  const clock = new VirtualClock();
  const inner = {
    sync: (done: () => void) => void clock.setTimeout(done, 40),
    trim: (index: number) => ({ index, term: 1 }),
  };
  const log = new TimedLogStore(inner as unknown as LogStore, clock);
  log.sync(() => undefined);
  clock.runFor(100);
  expect([log.syncs.count, log.syncs.sumMs]).toEqual([1, 40]);
  expect(log.trim(7 as never, 0)).toEqual({ index: 7, term: 1 });
});

test('a peer that is down does not trail, and a new leadership begins without what an earlier one saw', () => {
  const clock = new VirtualClock();
  const told: string[] = [];
  const watch = new TrailWatch(clock, ({ text }) => told.push(text));
  const leading = (status: string) => ({
    state: { peers: { b: { id: 'b', status } }, matchIndex: { b: 0 }, log: { lastIndex: 5_000 }, term: 1 } as never,
  });
  watch.follow(leading('down'));
  clock.runFor(3_000);
  expect(told).toEqual([]);
  watch.follow(leading('up'));
  clock.runFor(1_500);
  watch.follow(leading('up'));
  clock.runFor(1_500);
  expect(told).toEqual([]);
  clock.runFor(1_000);
  watch.follow(leading('up'));
  clock.runFor(2_500);
  watch.follow(undefined);
  expect(told).toEqual(Array(2).fill('b trails by more than 1,000 entries.'));
});
