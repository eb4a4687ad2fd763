import { beforeEach, describe, expect, test } from '@jest/globals';
import { QuorateError } from '../../src/errors/quorate-error.js';
import type { Notice } from '../../src/raft/effects.js';
import type { Outcome } from './played-chart.js';
import { appended, applied, PlayedChart, text } from './played-chart.js';

let chart: PlayedChart;
beforeEach(() => {
  chart = new PlayedChart();
});

describe('P45 after this process stood still', () => {
  const role = (name: string): Notice => ({ type: 'role.changed', role: name, term: 1, reason: '' }) as Notice;

  test('nothing is handed on until the sockets are read: whose caller has gone by then is not done', () => {
    chart.clock.pass(2_000);
    let isGone = false;
    const gone = chart.propose('gone', { timeoutMs: 60_000, isGone: () => isGone });
    const there = chart.propose('there', { timeoutMs: 60_000 });
    expect(chart.turn()).toEqual([]);
    isGone = true;
    chart.clock.runFor(100);
    expect(chart.sent).toMatchObject([{ type: 'client.proposed', commands: [text.encode('there')] }]);
    expect([gone.code, there.times]).toEqual(['QUORATE_ABORTED', 0]);
  });

  test('what was read then may be as old as the pause: it is not done where its time was up', () => {
    chart.clock.pass(2_000);
    const calls = [chart.propose('late', { timeoutMs: 2_000 }), chart.propose('in time', { timeoutMs: 2_500 })];
    const reads = [chart.read({ timeoutMs: 2_000 }), chart.read({ timeoutMs: 2_500 })];
    chart.clock.runFor(100);
    expect(calls.map(({ code }) => code)).toEqual(['QUORATE_NO_LEADER', undefined]);
    expect(reads.map(({ code }) => code)).toEqual(['QUORATE_NO_LEADER', undefined]);
    const [proposed] = chart.sent.filter(({ type }) => type === 'client.proposed');
    expect(proposed).toMatchObject({ commands: [text.encode('in time')] });
    // What is read later is as young as it looks.
    chart.propose('later', { timeoutMs: 100 });
    expect(chart.turn()).toHaveLength(1);
  });

  test('what is passed on together is worth doing only until the first of its callers gives up', () => {
    chart.propose('patient', { timeoutMs: 60_000 });
    chart.propose('hurried', { timeoutMs: 300 });
    chart.propose('patient, too', { timeoutMs: 5_000 });
    expect(chart.turn()).toMatchObject([{ type: 'client.proposed', remainingMs: 300 }]);
  });

  test('a caller that asks again at once gets one answer a turn, and none of its calls is lost', () => {
    chart.clock.pass(2_000);
    const answers = { reads: 0, proposals: 0 };
    const timeoutMs = 1_000;
    const readAgain = (): void => {
      answers.reads += 1;
      if (answers.reads < 1_000) chart.pendingRequests.read({ timeoutMs, signal: undefined, done: readAgain });
    };
    const proposeAgain = (): void => {
      answers.proposals += 1;
      const request = { timeoutMs, signal: undefined, done: proposeAgain };
      if (answers.proposals < 1_000) chart.pendingRequests.propose(text.encode('x'), request);
    };
    readAgain();
    proposeAgain();
    chart.clock.runFor(500);
    // Some end at once as long as they may be as old as the pause; the first after that is handed on.
    expect(answers.reads).toBeLessThan(100);
    expect(answers.proposals).toBeLessThan(100);
    expect(chart.sent.map(({ type }) => type).sort()).toEqual(['client.proposed', 'client.read']);
  });

  test('a second pause soon after the first is one, too', () => {
    chart.clock.pass(2_000);
    chart.clock.runFor(200);
    chart.clock.pass(1_200);
    const call = chart.propose('ghost', { timeoutMs: 1_000 });
    chart.clock.runFor(100);
    expect([chart.sent, call.code]).toEqual([[], 'QUORATE_NO_LEADER']);
  });

  test('a node that is closed before the sockets are read leaves no timer: the process could never end', () => {
    chart.clock.pass(2_000);
    const call = chart.propose('x');
    const read = chart.read();
    chart.pendingRequests.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    chart.clock.pass(2_000);
    chart.clock.runFor(2_000);
    expect([call.code, read.code, chart.clock.pendingTimers]).toEqual(['QUORATE_CLOSED', 'QUORATE_CLOSED', 0]);
  });

  test('a process whose turns all take long still hands on what it is asked', () => {
    const calls: Outcome[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      chart.clock.pass(200);
      calls.push(chart.propose('x', { timeoutMs: 5_000 }));
      chart.clock.runFor(20);
    }
    const handedOn = chart.sent.flatMap((event) => (event.type === 'client.proposed' ? event.commands : []));
    expect(handedOn.length).toBeGreaterThan(40);
    expect(calls.filter(({ code }) => code === 'QUORATE_NO_LEADER')).toEqual([]);
  });

  test('what waited through the pause for its turn is not done where its time was up', () => {
    const calls = Array.from({ length: 1_500 }, () => chart.propose('x', { timeoutMs: 1_000 }));
    const deferred: (() => void)[] = [];
    chart.clock.defer = (callback) => void deferred.push(callback);
    chart.clock.runFor(0);
    chart.clock.pass(2_000);
    for (const callback of deferred) callback();
    chart.clock.runFor(100);
    expect(chart.sent.filter(({ type }) => type === 'client.proposed')).toHaveLength(1);
    expect(calls.at(-1)?.code).toBe('QUORATE_NO_LEADER');
  });

  test('what it received as leader is not passed on when it learns that it leads no more', () => {
    chart.tell(role('leader'));
    chart.clock.pass(2_000);
    const call = chart.propose('ghost', { timeoutMs: 60_000 });
    chart.tell(role('follower'));
    chart.clock.runFor(100);
    expect(chart.sent).toEqual([]);
    expect(call.code).toBe('QUORATE_NO_LEADER');
    // What comes afterwards was sent to a follower.
    chart.propose('new', { timeoutMs: 60_000 });
    expect(chart.turn()).toHaveLength(1);
  });

  test('a change of leader without a pause refuses nothing', () => {
    chart.tell(role('leader'));
    const call = chart.propose('a');
    chart.tell(role('follower'));
    expect(chart.turn()).toHaveLength(1);
    expect(call.times).toBe(0);
  });
});

describe('nothing is kept for calls that ended', () => {
  const CALLS = 300;
  const forwarded = (requestId: number): Notice => ({ type: 'proposals.forwarded', requestId, to: 'b' });
  const readForwarded = (requestId: number): Notice => ({ type: 'reads.forwarded', requestId, to: 'b' });

  /** How a call may end, once it is under way at another node, here, or nowhere. */
  const ends: [string, (requestId: number, proposes: boolean, abort: () => void) => void][] = [
    ['without any answer', () => undefined],
    ['forwarded and never answered', (id, proposes) => chart.tell(proposes ? forwarded(id) : readForwarded(id))],
    [
      'forwarded and aborted',
      (id, proposes, abort) => {
        chart.tell(proposes ? forwarded(id) : readForwarded(id));
        abort();
      },
    ],
    ['appended and never applied', (id, proposes) => chart.tell(...(proposes ? [appended(id, id, 1)] : []))],
    [
      'appended and aborted',
      (id, proposes, abort) => {
        if (proposes) chart.tell(appended(id, id, 1));
        abort();
      },
    ],
    [
      'refused again and again',
      (requestId, proposes) =>
        chart.tell({ type: proposes ? 'proposals.refused' : 'reads.refused', requestId, leaderId: null }),
    ],
    [
      'confirmed and never applied here',
      (id, proposes) => {
        if (!proposes) chart.tell({ type: 'reads.confirmed', requestId: id, readIndex: 1_000_000 } as Notice);
      },
    ],
    [
      'forwarded over a link that is lost',
      (id, proposes) => {
        chart.tell(proposes ? forwarded(id) : readForwarded(id));
        chart.tell({ type: 'link.changed', peer: 'b', open: false, reason: 'gone' });
      },
    ],
    [
      'forwarded to a leader that is replaced',
      (id, proposes) => {
        chart.tell(proposes ? forwarded(id) : readForwarded(id));
        chart.tell({ type: 'leader.changed', leaderId: 'c', term: 2 } as Notice);
      },
    ],
    [
      'answered',
      (id, proposes) => {
        if (proposes) chart.tell(appended(id, id, 1), applied(id, ['x']));
        else chart.tell({ type: 'reads.confirmed', requestId: id, readIndex: 0 } as Notice);
      },
    ],
  ];

  test.each(ends)('%s', (_how, end) => {
    const calls: Outcome[] = [];
    for (let n = 0; n < CALLS; n += 1) {
      const proposes = n % 2 === 0;
      const controller = new AbortController();
      const options = { timeoutMs: 200, signal: controller.signal };
      calls.push(proposes ? chart.propose(new Uint8Array(1024), options) : chart.read(options));
      chart.turn();
      end(chart.lastRequestId(), proposes, () => controller.abort());
    }
    chart.clock.runFor(1_000);
    expect(calls.map(({ times }) => times)).toEqual(Array.from({ length: CALLS }, () => 1));
    expect(chart.pendingRequests.isIdle).toBe(true);
  });

  test('and the node closed: nothing is left', () => {
    for (let n = 0; n < CALLS; n += 1) {
      chart.propose('x');
      chart.read();
      chart.turn();
      if (n % 2 === 0) chart.tell(forwarded(chart.lastRequestId() - 1), readForwarded(chart.lastRequestId()));
    }
    chart.pendingRequests.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    expect(chart.pendingRequests.isIdle).toBe(true);
    expect(chart.clock.advanceToNext()).toBe(false);
  });
});

test('P33 a read whose answer was lost is asked again, in a new round, long before its time is up', () => {
  const read = chart.read({ timeoutMs: 60_000 });
  chart.turn();
  chart.tell({ type: 'reads.forwarded', requestId: 1, to: 'b' });
  chart.sent.length = 0;
  chart.clock.runFor(600);
  expect(chart.sent).toEqual([{ type: 'client.read', requestId: 2 }]);
  chart.tell({ type: 'reads.confirmed', requestId: 1, readIndex: 0 } as Notice);
  expect(read.times).toBe(0);
  chart.tell({ type: 'reads.confirmed', requestId: 2, readIndex: 0 } as Notice);
  expect(read.times).toBe(1);
});
