import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Notice } from '../../src/raft/notices.js';
import { QuorateError } from '../../src/seams/errors.js';
import type { Outcome } from './office.js';
import { appended, applied, Office, text } from './office.js';

let office: Office;
beforeEach(() => {
  office = new Office();
});

describe('P45 after this process stood still', () => {
  const role = (name: string): Notice => ({ type: 'role.changed', role: name, term: 1, reason: '' }) as Notice;

  test('nothing is handed on until the sockets are read: whose caller has gone by then is not done', () => {
    office.clock.pass(2_000);
    let isGone = false;
    const gone = office.propose('gone', { timeoutMs: 60_000, isGone: () => isGone });
    const there = office.propose('there', { timeoutMs: 60_000 });
    expect(office.turn()).toEqual([]);
    isGone = true;
    office.clock.runFor(100);
    expect(office.sent).toMatchObject([{ type: 'client.proposed', commands: [text.encode('there')] }]);
    expect([gone.code, there.times]).toEqual(['QUORATE_ABORTED', 0]);
  });

  test('what was read then may be as old as the pause: it is not done where its time was up', () => {
    office.clock.pass(2_000);
    const calls = [office.propose('late', { timeoutMs: 2_000 }), office.propose('in time', { timeoutMs: 2_500 })];
    const reads = [office.read({ timeoutMs: 2_000 }), office.read({ timeoutMs: 2_500 })];
    office.clock.runFor(100);
    expect(calls.map(({ code }) => code)).toEqual(['QUORATE_NO_LEADER', undefined]);
    expect(reads.map(({ code }) => code)).toEqual(['QUORATE_NO_LEADER', undefined]);
    const [proposed] = office.sent.filter(({ type }) => type === 'client.proposed');
    expect(proposed).toMatchObject({ commands: [text.encode('in time')] });
    // What is read later is as young as it looks.
    office.propose('later', { timeoutMs: 100 });
    expect(office.turn()).toHaveLength(1);
  });

  test('a caller that asks again at once gets one answer a turn, and none of its calls is lost', () => {
    office.clock.pass(2_000);
    const answers = { reads: 0, proposals: 0 };
    const timeoutMs = 1_000;
    const readAgain = (): void => {
      answers.reads += 1;
      if (answers.reads < 1_000) office.desks.read({ timeoutMs, signal: undefined, done: readAgain });
    };
    const proposeAgain = (): void => {
      answers.proposals += 1;
      const request = { timeoutMs, signal: undefined, done: proposeAgain };
      if (answers.proposals < 1_000) office.desks.propose(text.encode('x'), request);
    };
    readAgain();
    proposeAgain();
    office.clock.runFor(500);
    // Some end at once as long as they may be as old as the pause; the first after that is handed on.
    expect(answers.reads).toBeLessThan(100);
    expect(answers.proposals).toBeLessThan(100);
    expect(office.sent.map(({ type }) => type).sort()).toEqual(['client.proposed', 'client.read']);
  });

  test('a second pause soon after the first is one, too', () => {
    office.clock.pass(2_000);
    office.clock.runFor(200);
    office.clock.pass(1_200);
    const call = office.propose('ghost', { timeoutMs: 1_000 });
    office.clock.runFor(100);
    expect([office.sent, call.code]).toEqual([[], 'QUORATE_NO_LEADER']);
  });

  test('a process whose turns all take long still hands on what it is asked', () => {
    const calls: Outcome[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      office.clock.pass(200);
      calls.push(office.propose('x', { timeoutMs: 5_000 }));
      office.clock.runFor(20);
    }
    const handedOn = office.sent.flatMap((event) => (event.type === 'client.proposed' ? event.commands : []));
    expect(handedOn.length).toBeGreaterThan(40);
    expect(calls.filter(({ code }) => code === 'QUORATE_NO_LEADER')).toEqual([]);
  });

  test('what waited through the pause for its turn is not done where its time was up', () => {
    const calls = Array.from({ length: 1_500 }, () => office.propose('x', { timeoutMs: 1_000 }));
    const deferred: (() => void)[] = [];
    office.clock.defer = (callback) => void deferred.push(callback);
    office.clock.runFor(0);
    office.clock.pass(2_000);
    for (const callback of deferred) callback();
    office.clock.runFor(100);
    expect(office.sent.filter(({ type }) => type === 'client.proposed')).toHaveLength(1);
    expect(calls.at(-1)?.code).toBe('QUORATE_NO_LEADER');
  });

  test('what it received as leader is not passed on when it learns that it leads no more', () => {
    office.tell(role('leader'));
    office.clock.pass(2_000);
    const call = office.propose('ghost', { timeoutMs: 60_000 });
    office.tell(role('follower'));
    office.clock.runFor(100);
    expect(office.sent).toEqual([]);
    expect(call.code).toBe('QUORATE_NO_LEADER');
    // What comes afterwards was sent to a follower.
    office.propose('new', { timeoutMs: 60_000 });
    expect(office.turn()).toHaveLength(1);
  });

  test('a change of leader without a pause refuses nothing', () => {
    office.tell(role('leader'));
    const call = office.propose('a');
    office.tell(role('follower'));
    expect(office.turn()).toHaveLength(1);
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
    ['forwarded and never answered', (id, proposes) => office.tell(proposes ? forwarded(id) : readForwarded(id))],
    [
      'forwarded and aborted',
      (id, proposes, abort) => {
        office.tell(proposes ? forwarded(id) : readForwarded(id));
        abort();
      },
    ],
    ['appended and never applied', (id, proposes) => office.tell(...(proposes ? [appended(id, id, 1)] : []))],
    [
      'appended and aborted',
      (id, proposes, abort) => {
        if (proposes) office.tell(appended(id, id, 1));
        abort();
      },
    ],
    [
      'refused again and again',
      (requestId, proposes) =>
        office.tell({ type: proposes ? 'proposals.refused' : 'reads.refused', requestId, leaderId: null }),
    ],
    [
      'confirmed and never applied here',
      (id, proposes) => {
        if (!proposes) office.tell({ type: 'reads.confirmed', requestId: id, readIndex: 1_000_000 } as Notice);
      },
    ],
    [
      'forwarded over a link that is lost',
      (id, proposes) => {
        office.tell(proposes ? forwarded(id) : readForwarded(id));
        office.tell({ type: 'link.changed', peer: 'b', open: false, reason: 'gone' });
      },
    ],
    [
      'forwarded to a leader that is replaced',
      (id, proposes) => {
        office.tell(proposes ? forwarded(id) : readForwarded(id));
        office.tell({ type: 'leader.changed', leaderId: 'c', term: 2 } as Notice);
      },
    ],
    [
      'answered',
      (id, proposes) => {
        if (proposes) office.tell(appended(id, id, 1), applied(id, ['x']));
        else office.tell({ type: 'reads.confirmed', requestId: id, readIndex: 0 } as Notice);
      },
    ],
  ];

  test.each(ends)('%s', (_how, end) => {
    const calls: Outcome[] = [];
    for (let n = 0; n < CALLS; n += 1) {
      const proposes = n % 2 === 0;
      const controller = new AbortController();
      const options = { timeoutMs: 200, signal: controller.signal };
      calls.push(proposes ? office.propose(new Uint8Array(1024), options) : office.read(options));
      office.turn();
      end(office.lastRequestId(), proposes, () => controller.abort());
    }
    office.clock.runFor(1_000);
    expect(calls.map(({ times }) => times)).toEqual(Array.from({ length: CALLS }, () => 1));
    expect(office.desks.isIdle).toBe(true);
  });

  test('and the node closed: nothing is left', () => {
    for (let n = 0; n < CALLS; n += 1) {
      office.propose('x');
      office.read();
      office.turn();
      if (n % 2 === 0) office.tell(forwarded(office.lastRequestId() - 1), readForwarded(office.lastRequestId()));
    }
    office.desks.close(new QuorateError('QUORATE_CLOSED', 'closed'));
    expect(office.desks.isIdle).toBe(true);
    expect(office.clock.advanceToNext()).toBe(false);
  });
});

test('P33 a read whose answer was lost is asked again, in a new round, long before its time is up', () => {
  const read = office.read({ timeoutMs: 60_000 });
  office.turn();
  office.tell({ type: 'reads.forwarded', requestId: 1, to: 'b' });
  office.sent.length = 0;
  office.clock.runFor(600);
  expect(office.sent).toEqual([{ type: 'client.read', requestId: 2 }]);
  office.tell({ type: 'reads.confirmed', requestId: 1, readIndex: 0 } as Notice);
  expect(read.times).toBe(0);
  office.tell({ type: 'reads.confirmed', requestId: 2, readIndex: 0 } as Notice);
  expect(read.times).toBe(1);
});
