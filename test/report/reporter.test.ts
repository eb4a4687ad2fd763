import { describe, expect, test } from '@jest/globals';
import { roleOf } from '../../machines/index.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import { MemoryLogStore } from '../../src/log/memory-log-store.js';
import type { EventStream } from '../../src/report/node-report.js';
import { EVENTS_VERSION } from '../../src/report/node-report.js';
import { pathOf } from '../../src/report/report-maker.js';
import { NodeReporter } from '../../src/report/reporter.js';
import { LoneReplica } from '../../src/testing/index.js';

const unknown = new QuorateError('QUORATE_OUTCOME_UNKNOWN', 'no answer came in time');
const SETTINGS = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatMs: 50,
  maxMissedHeartbeats: 3,
  priority: 10,
};

class Reader {
  readonly messages: { readonly name: string; readonly data: unknown }[] = [];
  hasEnded = false;

  send(name: string, json: string): void {
    this.messages.push({ name, data: JSON.parse(json) });
  }

  end(): void {
    this.hasEnded = true;
  }

  all<Name extends keyof EventStream>(name: Name): readonly EventStream[Name][] {
    return this.messages.filter((message) => message.name === name).map(({ data }) => data as EventStream[Name]);
  }
}

/** The reporter of a replica whose peers the test plays; nothing happens on it by itself but what its clock brings. */
function reported(ids = 'abc') {
  const lone = new LoneReplica({ ids });
  const { actor, clock } = lone;
  const reporter = new NodeReporter({
    clock,
    hello: {
      version: EVENTS_VERSION,
      id: 'a',
      clusterId: '',
      cluster: null,
      address: 'a',
      release: '',
      startCommand: null,
      settings: SETTINGS,
    },
    log: new MemoryLogStore(),
    transport: { accept: () => () => undefined, dial: () => ({}) as never },
  });
  const state = () => actor.getSnapshot().context.state;
  reporter.attach({
    actor,
    get state() {
      return state();
    },
    status: () => {
      const { value } = actor.getSnapshot();
      return { ...state(), state: value, role: roleOf(actor.getSnapshot()), members: [] } as never;
    },
    whyNotReady: () => undefined,
    haltReason: () => null,
    waiting: () => ({ commands: 0, reads: 0, oldestReceivedMs: null }),
  });
  return { lone, clock, reporter };
}

describe('what was measured before anybody looked', () => {
  test('is the first that a reader gets of it: five minutes at most, a second each, once', () => {
    const { lone, clock, reporter } = reported('a');
    lone.lead();
    reporter.calls.commandsDone(7, clock.now());
    clock.runFor(400_000);
    const reader = new Reader();
    reporter.watch(reader);
    expect(reader.messages.map(({ name }) => name).slice(0, 3)).toEqual(['hello', 'report', 'history']);
    const [history] = reader.all('history');
    const metrics = history?.metrics ?? [];
    expect(metrics).toHaveLength(300);
    expect(metrics.slice(1).every(({ atMs }, at) => atMs - (metrics[at]?.atMs ?? 0) === 1_000)).toBe(true);
    clock.runFor(1_000);
    const [next] = reader.all('metrics');
    expect((next?.atMs ?? 0) - (metrics.at(-1)?.atMs ?? 0)).toBe(1_000);
    expect(reader.all('history')).toHaveLength(1);
  });

  test('counts calls, and leaves out the event loop, which is measured for readers only', () => {
    const { lone, clock, reporter } = reported();
    lone.lead();
    reporter.calls.commandsDone(7, clock.now());
    clock.runFor(1_000);
    const reader = new Reader();
    reporter.watch(reader);
    expect(reader.all('history')[0]?.metrics).toMatchObject([{ putsPerSecond: 7, eventLoopDelayMs: null, behind: {} }]);
    clock.runFor(1_000);
    expect(reader.all('metrics')[0]?.eventLoopDelayMs).not.toBeNull();
    reporter.close();
    const { length } = reader.messages;
    clock.runFor(5_000);
    expect(reader.messages).toHaveLength(length);
  });

  test('an error of a call is counted once, though the request that brought it ends with it, too', () => {
    const { clock, reporter } = reported('a');
    reporter.calls.failed('command', unknown, clock.now());
    reporter.countError(unknown);
    reporter.countError(new QuorateError('QUORATE_CONFLICT', 'another write came first'));
    reporter.countError(new QuorateError('QUORATE_NOT_FOUND', 'no such key'));
    expect([...reporter.calls.errors]).toEqual([
      ['OUTCOME_UNKNOWN', 1],
      ['CONFLICT', 1],
    ]);
  });
});

describe('a crowd of readers', () => {
  test('gets the same first report within a tenth of a second, and all together not many more than few do', () => {
    const { clock, reporter } = reported();
    const readers = Array.from({ length: 100 }, () => new Reader());
    for (const reader of readers) reporter.watch(reader);
    const firsts = readers.map((reader) => JSON.stringify(reader.all('report')[0]));
    expect(new Set(firsts).size).toBe(1);
    clock.runFor(2_000);
    const reports = readers[99]?.all('report').length ?? 0;
    expect(reports).toBeGreaterThanOrEqual(3);
    expect(reports).toBeLessThanOrEqual(7);
  });
});

describe('reports', () => {
  test('come at most ten times a second, and only where something has changed, but once a second anyway', () => {
    const { lone, clock, reporter } = reported('a');
    lone.lead();
    clock.runFor(1_000);
    const reader = new Reader();
    reporter.watch(reader);
    clock.runFor(5_000);
    expect(reader.all('report')).toHaveLength(6);
    expect(reader.all('metrics')).toHaveLength(5);

    const follower = reported();
    const other = new Reader();
    follower.reporter.watch(other);
    follower.clock.runFor(100);
    expect(other.all('report')).toHaveLength(2);
    follower.clock.runFor(1_000);
    expect(other.all('report').length).toBeLessThanOrEqual(12);
    const [first, second] = other.all('report');
    expect(first?.timer?.restMs).toBe((second?.timer?.restMs ?? 0) + 100);
  });

  test('are made for nobody where nobody reads', () => {
    const { lone, clock, reporter } = reported('a');
    lone.lead();
    const reader = new Reader();
    const stop = reporter.watch(reader);
    clock.runFor(1_000);
    stop();
    const { length } = reader.messages;
    let asked = 0;
    reporter.attach({
      ...{ actor: lone.actor, state: lone.actor.getSnapshot().context.state },
      ...{ whyNotReady: () => undefined, haltReason: () => null, waiting: () => ({}) as never },
      status: () => {
        asked += 1;
        throw new Error('nobody wants to know');
      },
    });
    clock.runFor(5_000);
    expect([reader.messages.length, asked]).toEqual([length, 0]);
  });

  test('tell of votes while a candidate stands', () => {
    const { lone, reporter } = reported();
    lone.stand();
    const reader = new Reader();
    reporter.watch(reader);
    expect(reader.all('report')[0]).toMatchObject({
      role: 'candidate',
      state: 'active.candidate',
      votes: { b: null, c: null },
    });
  });
});

describe('news', () => {
  const role = { type: 'role.changed', term: 1, reason: 'it has term 1' } as never as {
    type: 'role.changed';
    term: never;
    reason: string;
  };

  test('are kept, the newest 200, and numbered for as long as the node lives', () => {
    const { reporter } = reported();
    for (let count = 0; count < 150; count += 1) {
      reporter.notice({ ...role, role: 'leader' });
      reporter.notice({ ...role, role: 'follower' });
    }
    const reader = new Reader();
    reporter.watch(reader);
    const numbers = reader.all('news').map(({ sequence }) => sequence);
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, at) => at + 101));
    reporter.notice({ ...role, role: 'leader' });
    expect(reader.all('news').at(-1)?.sequence).toBe(301);
    reporter.close();
  });

  test('of puts that end as unknown come together, however many they are', () => {
    const { clock, reporter } = reported();
    const reader = new Reader();
    reporter.watch(reader);
    const fail = (count: number): void => {
      for (let at = 0; at < count; at += 1) reporter.calls.failed('command', unknown, clock.now() - 5_000);
    };
    fail(22);
    clock.runFor(50);
    fail(400);
    clock.runFor(500);
    fail(1);
    clock.runFor(2_000);
    expect(reader.all('news').map(({ text }) => text)).toEqual([
      '22 puts ended with OUTCOME_UNKNOWN, the last after 5.0 s.',
      '401 puts ended with OUTCOME_UNKNOWN, the last after 5.0 s.',
    ]);
    expect(reader.all('report').at(-1)?.waiting.endedUnknown).toBe(423);
    reporter.calls.commandsDone(1, clock.now());
    clock.runFor(200);
    expect(reader.all('report').at(-1)?.waiting.endedUnknown).toBe(0);
    expect(reader.all('metrics').map(({ errors }) => errors)).toContainEqual({ OUTCOME_UNKNOWN: 423 });
  });

  test('of a peer that trails come after it was seen twice, and again when it does no more', () => {
    const { clock, reporter, lone } = reported();
    const state = lone.actor.getSnapshot().context.state;
    const peers = { b: { ...(state.peers.b as object), status: 'up' } } as never;
    let match = 0;
    const node = { ...state, peers, log: { ...state.log, lastIndex: 5_000 as never } };
    const texts: string[] = [];
    reporter.attach({
      ...({ actor: lone.actor } as const),
      get state() {
        return { ...node, matchIndex: { b: match as never } };
      },
      ...{ status: () => ({ members: [] }) as never, whyNotReady: () => undefined, haltReason: () => null },
      waiting: () => ({ commands: 0, reads: 0, oldestReceivedMs: null }),
    });
    reporter.notice({ ...role, role: 'leader' });
    const told = (): readonly string[] => {
      const reader = new Reader();
      reporter.watch(reader)();
      return reader
        .all('news')
        .map(({ text }) => text)
        .filter((text) => text.includes('trails'));
    };
    clock.runFor(1_500);
    texts.push(...told());
    expect(texts).toEqual([]);
    clock.runFor(1_000);
    expect(told()).toEqual(['b trails by more than 1,000 entries.']);
    match = 4_900;
    clock.runFor(3_000);
    expect(told()).toEqual(['b trails by more than 1,000 entries.', 'b trails by more than 1,000 entries no more.']);
  });
});

test('the streams end with the node, after a last report; who comes later gets what there was', () => {
  const { reporter } = reported();
  const reader = new Reader();
  reporter.watch(reader);
  reporter.close();
  expect([reader.hasEnded, reader.all('report')]).toMatchObject([true, [{}, {}]]);
  const late = new Reader();
  reporter.watch(late);
  expect([late.hasEnded, late.messages[0]?.name]).toEqual([true, 'hello']);
});

test('a state is a path', () => {
  expect(pathOf({ active: { leader: 'serving' } })).toBe('active.leader.serving');
  expect(pathOf('halted')).toBe('halted');
});
