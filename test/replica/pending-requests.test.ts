import { beforeEach, describe, expect, test } from '@jest/globals';
import type { ClientEvent } from '../../machines/index.js';
import { QuorateError } from '../../src/errors/quorate-error.js';
import type { Notice } from '../../src/raft/effects.js';
import { MOST_RESULT_BYTES } from '../../src/replica/appended-commands.js';
import { appended, applied, PlayedChart, text } from './played-chart.js';

let chart: PlayedChart;
beforeEach(() => {
  chart = new PlayedChart();
});

describe('commands', () => {
  test('what arrives in one turn of the event loop is one event, and each caller has its own result', () => {
    const calls = ['a', 'b', 'c'].map((command) => chart.propose(command));
    expect(chart.turn()).toEqual([
      { type: 'client.proposed', requestId: 1, commands: ['a', 'b', 'c'].map(text.encode), remainingMs: 1_000 },
    ]);
    chart.tell(appended(1, 7, 3), applied(5, ['x', 'x', 'A', 'B']), applied(9, ['C']));
    expect(calls.map(({ result }) => result)).toEqual(['A', 'B', 'C']);
  });

  test('one event holds up to 1 MiB, to the byte; a larger command goes alone', () => {
    const half = new Uint8Array(512 * 1024);
    for (const size of [half, half, new Uint8Array(1), half, half, new Uint8Array(2 * 1024 * 1024), half]) {
      chart.propose(size);
    }
    const counts = chart.turn().map((event) => (event.type === 'client.proposed' ? event.commands.length : 0));
    expect(counts).toEqual([2, 2, 1, 1, 1]);
  });

  test('a burst is an event of a thousand commands in each turn, in order; those that wait may run out of time, or be told of the end', () => {
    const calls = Array.from({ length: 2_500 }, (_, at) =>
      chart.propose(String(at), { timeoutMs: at < 2_048 ? 1_000 : 10 }),
    );
    const proposed: number[][] = [];
    const look = (event: ClientEvent): void => {
      if (event.type === 'client.proposed')
        proposed.push(event.commands.map((command) => Number(text.decode(command))));
    };
    chart.turn().forEach(look);
    expect(proposed.map(({ length }) => length)).toEqual([1_024, 1_024, 452]);
    expect(proposed.flat()).toEqual(calls.map((_, at) => at));
    for (const call of calls) expect(call.times).toBe(0);
    chart.pendingRequests.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    for (const call of calls) expect(call).toEqual({ code: 'QUORATE_OUTCOME_UNKNOWN', times: 1 });
  });

  test('of a burst, what waits for its turn when the node closes was not done', () => {
    const calls = Array.from({ length: 1_500 }, (_, at) => chart.propose(String(at)));
    const deferred: (() => void)[] = [];
    const defer = chart.clock.defer.bind(chart.clock);
    chart.clock.defer = (callback) => void deferred.push(callback);
    defer(() => undefined);
    chart.turn();
    expect(chart.sent).toHaveLength(1);
    chart.pendingRequests.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    for (const callback of deferred) callback();
    expect(chart.sent).toHaveLength(1);
    expect(calls[0]).toEqual({ code: 'QUORATE_OUTCOME_UNKNOWN', times: 1 });
    expect(calls[1_499]).toEqual({ code: 'QUORATE_CLOSED', times: 1 });
  });

  test('a command that was cut off ends as unknown; one in whose place another was committed was never done', () => {
    const [kept, cut] = [chart.propose('kept'), chart.propose('cut')];
    chart.turn();
    chart.tell(appended(1, 1, 2), { type: 'log.truncated', from: 2 } as Notice);
    expect(cut.code).toBe('QUORATE_OUTCOME_UNKNOWN');
    const late = chart.propose('late');
    chart.turn();
    chart.tell(appended(2, 2, 1, 3), applied(2, ["another's"], 4));
    expect(late.code).toBe('QUORATE_NO_LEADER');
    expect(kept).toEqual({ times: 0 });
  });

  test('what lies before a cut of the log still gets its result', () => {
    const calls = [chart.propose('kept'), chart.propose('cut')];
    chart.turn();
    chart.tell(appended(1, 1, 2), { type: 'log.truncated', from: 2 } as Notice, applied(1, ['K']));
    expect(calls).toEqual([
      { result: 'K', times: 1 },
      { code: 'QUORATE_OUTCOME_UNKNOWN', times: 1 },
    ]);
  });

  test('a refused command was not done: it is tried again when a leader is known, within its time', () => {
    const call = chart.propose('a');
    chart.turn();
    chart.tell({ type: 'proposals.refused', requestId: 1, leaderId: null });
    expect(chart.turn()).toEqual([]);
    chart.tell({ type: 'leader.changed', leaderId: 'b', term: 2 } as Notice);
    expect(chart.turn()).toHaveLength(1);
    for (let tries = 0; call.times === 0; tries += 1) {
      chart.tell({ type: 'proposals.refused', requestId: chart.lastRequestId(), leaderId: null });
      chart.clock.runFor(20);
      expect(tries).toBeLessThan(60);
    }
    expect(call).toEqual({ code: 'QUORATE_NO_LEADER', times: 1 });
  });

  test('P37 a forwarded command whose link is lost is unknown; one that the leader refused is sent again', () => {
    const lost = chart.propose('lost');
    chart.turn();
    chart.tell({ type: 'proposals.forwarded', requestId: 1, to: 'b' });
    const other = chart.propose('other');
    chart.turn();
    chart.tell({ type: 'proposals.forwarded', requestId: 2, to: 'c' });
    chart.tell({ type: 'link.changed', peer: 'b', open: false, reason: 'gone' });
    expect([lost.code, other.code]).toEqual(['QUORATE_OUTCOME_UNKNOWN', undefined]);
    chart.tell({ type: 'proposals.refused', requestId: 2, leaderId: null });
    chart.tell({ type: 'link.changed', peer: 'c', open: true, reason: '' });
    expect(chart.turn()).toHaveLength(1);
    chart.tell({ type: 'proposals.forwarded', requestId: 3, to: 'c' });
    chart.tell({ type: 'proposals.answered', requestId: 3, results: [text.encode('done')] });
    expect(other).toEqual({ result: 'done', times: 1 });
  });

  test('a leader that lost its leadership while it held a forwarded command answers "unknown"', () => {
    const call = chart.propose('a');
    chart.turn();
    chart.tell({ type: 'proposals.forwarded', requestId: 1, to: 'b' });
    chart.tell({ type: 'proposals.answered', requestId: 1, results: null });
    expect(call.code).toBe('QUORATE_OUTCOME_UNKNOWN');
  });

  test('a command that was handed on and gets no answer in time is unknown, and its late result changes nothing', () => {
    const call = chart.propose('a', { timeoutMs: 100 });
    chart.turn();
    chart.tell(appended(1, 1, 1));
    chart.clock.runFor(200);
    expect(call.code).toBe('QUORATE_OUTCOME_UNKNOWN');
    chart.tell(applied(1, ['late']));
    expect(call.times).toBe(1);
  });

  test('an abort before the command was handed on promises that nothing is done; after, that nothing is known', () => {
    const early = new AbortController();
    const late = new AbortController();
    const calls = [chart.propose('a', { signal: early.signal }), chart.propose('b', { signal: late.signal })];
    early.abort();
    expect(chart.turn()).toEqual([
      { type: 'client.proposed', requestId: 1, commands: [text.encode('b')], remainingMs: 1_000 },
    ]);
    late.abort();
    expect(calls.map(({ code }) => code)).toEqual(['QUORATE_ABORTED', 'QUORATE_OUTCOME_UNKNOWN']);
  });

  test("a peer's commands are answered with all their results, once all are applied", () => {
    chart.tell(appended(40, 1, 2, 1, 'b'), applied(1, ['A']));
    expect(chart.sent).toEqual([]);
    chart.tell(applied(2, ['B']));
    const outcome = { kind: 'results', results: [text.encode('A'), text.encode('B')] };
    const message = { kind: 'propose-reply', requestId: 40, outcome };
    expect(chart.sent).toEqual([{ type: 'results.ready', to: 'b', message }]);
  });

  test('a command that another node answered as unknown counts as that, and not as done', () => {
    const call = chart.propose('a');
    chart.turn();
    chart.tell({ type: 'proposals.forwarded', requestId: 1, to: 'b' } as Notice);
    chart.tell({ type: 'proposals.answered', requestId: 1, results: null } as Notice);
    expect([call.code, chart.metered]).toEqual(['QUORATE_OUTCOME_UNKNOWN', ['command QUORATE_OUTCOME_UNKNOWN']]);
  });

  test("a peer's commands whose results are too much for one message are answered as unknown", () => {
    const large = 'x'.repeat(MOST_RESULT_BYTES / 2);
    chart.tell(appended(40, 1, 2, 1, 'b'), applied(1, [large, large]), appended(41, 3, 2, 1, 'b'));
    chart.tell(applied(3, [large, `${large}x`]));
    expect(chart.sent).toMatchObject([
      { message: { requestId: 40, outcome: { kind: 'results' } } },
      { message: { requestId: 41, outcome: { kind: 'unknown' } } },
    ]);
  });

  test("a peer's commands that were written over are answered as unknown", () => {
    chart.tell(appended(40, 1, 2, 1, 'b'), { type: 'log.truncated', from: 2 } as Notice);
    expect(chart.sent).toMatchObject([{ message: { requestId: 40, outcome: { kind: 'unknown' } } }]);
  });

  test('more than can wait is turned away, and room is made as callers are answered', () => {
    const big = new Uint8Array(32 * 1024 * 1024);
    const calls = [1, 2, 3, 4].map(() => chart.propose(big));
    expect(calls.map(({ code }) => code)).toEqual([undefined, undefined, undefined, 'QUORATE_OVERLOADED']);
    chart.turn();
    chart.tell(appended(1, 1, 1), applied(1, ['A']));
    expect(chart.propose(big).code).toBeUndefined();
  });

  test('whoever is turned away learns when what waits will be done, at the present rate', () => {
    const big = new Uint8Array(32 * 1024 * 1024);
    for (let n = 0; n < 3; n += 1) chart.propose(big);
    // Nothing was done yet.
    expect(chart.propose(big)).toMatchObject({ code: 'QUORATE_OVERLOADED', retryAfterMs: 30_000 });
    chart.turn();
    chart.clock.runFor(500);
    chart.tell(appended(1, 1, 1), applied(1, ['A']));
    chart.clock.runFor(499);
    chart.propose(big);
    // 32 MiB in a good second, and three times as much waits.
    const { retryAfterMs = 0 } = chart.propose(big);
    expect(retryAfterMs).toBeGreaterThan(2_500);
    expect(retryAfterMs).toBeLessThan(6_500);
  });

  test('a leader that is behind takes no more, and nothing is done', () => {
    chart.whyBehind = 'the disk is behind';
    expect(chart.propose('a')).toEqual({ code: 'QUORATE_OVERLOADED', retryAfterMs: 30_000, times: 1 });
    expect(chart.turn()).toEqual([]);
    chart.whyBehind = undefined;
    chart.propose('b');
    expect(chart.turn()).toHaveLength(1);
  });

  test('a command that was passed on to a leader that is behind ends at once, with why and when to come again', () => {
    const calls = [chart.propose('a'), chart.propose('b')];
    chart.turn();
    chart.tell({ type: 'proposals.forwarded', requestId: 1, to: 'b' });
    chart.tell({ type: 'proposals.refused', requestId: 1, leaderId: null, behind: 'disk' });
    const overloaded = { code: 'QUORATE_OVERLOADED', retryAfterMs: 30_000, times: 1 };
    expect(calls).toEqual([overloaded, overloaded]);
    expect(chart.turn()).toEqual([]);
    expect(chart.pendingRequests.isIdle).toBe(true);
  });

  test('while nothing is done, commands beyond a batch are turned away at once, and those that wait are not told anything', () => {
    const waiting = Array.from({ length: 1_024 }, (_, at) => chart.propose(String(at)));
    chart.turn();
    chart.clock.runFor(101);
    expect(chart.propose('late')).toEqual({ code: 'QUORATE_OVERLOADED', retryAfterMs: 1_000, times: 1 });
    expect(waiting.filter(({ times }) => times > 0)).toEqual([]);
  });

  test('more reads than can wait are turned away at once, and room is made as they are answered', () => {
    const reads = Array.from({ length: 65_537 }, () => chart.read());
    expect(chart.metered).toEqual(['read QUORATE_OVERLOADED']);
    expect(reads.filter(({ code }) => code !== undefined)).toEqual([
      { code: 'QUORATE_OVERLOADED', retryAfterMs: 30_000, times: 1 },
    ]);
    chart.turn();
    chart.tell({ type: 'reads.confirmed', requestId: chart.lastRequestId(), readIndex: 0 } as Notice);
    expect(chart.read().code).toBeUndefined();
  });

  test('a command that no link could carry is refused before it enters the log', () => {
    expect(chart.propose(new Uint8Array(32 * 1024 * 1024 + 1)).code).toBe('QUORATE_TOO_LARGE');
    expect(chart.turn()).toEqual([]);
  });

  test('an empty command is a command: it runs out of time like others, and many of them are too many', () => {
    const call = chart.propose(new Uint8Array(0), { timeoutMs: 500 });
    chart.turn();
    chart.tell(appended(1, 1, 1));
    chart.clock.runFor(1_000);
    expect(call.code).toBe('QUORATE_OUTCOME_UNKNOWN');
    const calls = Array.from({ length: 600_000 }, () => chart.propose(new Uint8Array(0)));
    expect(calls.at(-1)?.code).toBe('QUORATE_OVERLOADED');
  });

  test('closing answers everybody, each as far as is known', () => {
    const handedOn = chart.propose('a');
    chart.turn();
    const waiting = chart.propose('b');
    chart.pendingRequests.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    const after = chart.propose('c');
    expect([handedOn, waiting, after].map(({ code }) => code)).toEqual([
      'QUORATE_OUTCOME_UNKNOWN',
      'QUORATE_CLOSED',
      'QUORATE_CLOSED',
    ]);
    expect(chart.turn()).toEqual([]);
    expect(chart.pendingRequests.isIdle).toBe(true);
  });
});

describe('linearizable reads', () => {
  const confirmed = (requestId: number, readIndex: number): Notice => {
    return { type: 'reads.confirmed', requestId, readIndex } as Notice;
  };

  test('those of one turn share a round, and wait until its index is applied here', () => {
    const reads = [chart.read(), chart.read()];
    expect(chart.turn()).toEqual([{ type: 'client.read', requestId: 1 }]);
    chart.tell(applied(1, ['a']), confirmed(1, 3), applied(2, ['b']));
    expect(reads.map(({ times }) => times)).toEqual([0, 0]);
    chart.tell(applied(3, ['c']));
    expect(reads.map(({ times }) => times)).toEqual([1, 1]);
  });

  test('a read that comes later takes a round of its own', () => {
    chart.read();
    chart.turn();
    chart.read();
    expect(chart.turn()).toEqual([{ type: 'client.read', requestId: 2 }]);
  });

  test.each<[string, Notice]>([
    ['its leader is not reached any more', { type: 'link.changed', peer: 'b', open: false, reason: '' }],
    ['another node leads', { type: 'leader.changed', leaderId: 'c', term: 2 } as Notice],
    ['it was refused', { type: 'reads.refused', requestId: 1, leaderId: null }],
  ])(
    'P33 P35 when %s, it is asked again in a new round; a late answer to the old one counts for nothing',
    (_why, notice) => {
      const read = chart.read();
      chart.turn();
      chart.tell({ type: 'reads.forwarded', requestId: 1, to: 'b' }, notice, confirmed(1, 0));
      expect(read.times).toBe(0);
      chart.sent.length = 0;
      chart.clock.runFor(20);
      expect(chart.sent).toEqual([{ type: 'client.read', requestId: 2 }]);
      chart.tell(confirmed(2, 0));
      expect(read.times).toBe(1);
    },
  );

  test('a read that gets no answer ends with NO_LEADER, never as unknown', () => {
    const read = chart.read({ timeoutMs: 100 });
    chart.turn();
    chart.clock.runFor(200);
    expect(read).toEqual({ code: 'QUORATE_NO_LEADER', times: 1 });
    expect(chart.pendingRequests.isIdle).toBe(true);
  });
});
