import { getEventListeners } from 'node:events';
import { beforeEach, expect, test } from '@jest/globals';
import type { Asked } from '../../src/client/call.js';
import { Dispatcher } from '../../src/client/dispatcher.js';
import type { Platform } from '../../src/client/platform.js';
import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';
import { VirtualClock } from '../../src/testing/index.js';
import { PlayedSocket } from './played-socket.js';

let clock: VirtualClock;
let sockets: Record<string, PlayedSocket>;
let dispatcher: Dispatcher;
let platform: Platform;
/** What chance says. */
let chance = 0;

beforeEach(() => {
  clock = new VirtualClock();
  sockets = {};
  const openSocket = (url: string): PlayedSocket => {
    const socket = new PlayedSocket();
    sockets[new URL(url).host] = socket;
    return socket;
  };
  platform = {
    openSocket,
    now: () => clock.now(),
    random: () => chance,
    setTimeout: (callback: () => void, delayMs: number) => clock.setTimeout(callback, delayMs),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle as never),
    defer: (callback: () => void) => clock.defer(callback),
  };
  dispatcher = new Dispatcher({ endpoints: ['a', 'b'], service: 'key-value', platform });
  for (const socket of Object.values(sockets)) socket.onopen?.();
  a().tell(1, 'a');
  b().tell(1, 'a');
});

const a = (): PlayedSocket => sockets.a as PlayedSocket;
const b = (): PlayedSocket => sockets.b as PlayedSocket;

interface Outcome {
  value?: string;
  code?: QuorateErrorCode;
  message?: string;
}

function ask(
  name: string,
  {
    operation = 'propose',
    timeoutMs = 10_000,
    bytes = 20,
    signal,
    waitsOutOverload = true,
  }: Partial<Asked & { timeoutMs: number; bytes: number }> = {},
): Outcome {
  const outcome: Outcome = {};
  const payload = new Uint8Array(bytes).fill(32);
  payload.set(new TextEncoder().encode(name));
  const resolve = (value: string): void => void Object.assign(outcome, { value });
  const reject = (error: unknown): void => {
    const { code, message } = error as { code: QuorateErrorCode; message: string };
    Object.assign(outcome, { code, message });
  };
  const deadlineMs = dispatcher.deadlineMs(timeoutMs);
  const decode = (answer: Uint8Array): string => new TextDecoder().decode(answer);
  dispatcher.ask({
    operation,
    payload,
    deadlineMs,
    signal,
    waitsOutOverload,
    decode,
    resolve: resolve as never,
    reject,
  });
  return outcome;
}

/** The turn of the event loop ends. */
const turn = (): void => clock.runFor(0);
const many = (count: number, options: Parameters<typeof ask>[1] = {}): readonly Outcome[] => {
  return Array.from({ length: count }, (_, at) => ask(`n${at}`, options));
};
const answerAll = (socket: PlayedSocket, from = 0): void => {
  const payload = new TextEncoder().encode('done');
  socket.reply(...socket.asked.slice(from).map(({ id }) => ({ id, payload })));
};

test('of a burst 4,096 calls go to a node, in frames of 1,024; further ones follow as answers come, at once', () => {
  const calls = many(5_000);
  turn();
  expect(
    a()
      .frames.slice(1)
      .map((frame) => 'requests' in frame && frame.requests.length),
  ).toEqual(Array(4).fill(1_024));
  a().reply(
    ...a()
      .asked.slice(0, 10)
      .map(({ id }) => ({ id, payload: new Uint8Array(0) })),
  );
  turn();
  expect(a().asked).toHaveLength(4_106);
  answerAll(a(), 10);
  turn();
  answerAll(a(), 4_106);
  expect(calls.every(({ value }) => value !== undefined)).toBe(true);
});

test('no more than 16 MiB are under way at a node, but for one call alone', () => {
  const calls = many(5, { bytes: 5 * 1024 * 1024 });
  turn();
  expect(a().asked).toHaveLength(3);
  answerAll(a());
  turn();
  expect(a().asked).toHaveLength(5);
  answerAll(a(), 3);
  expect(calls.map(({ value }) => value)).toEqual(Array(5).fill('done'));
  const large = ask('large', { bytes: 20 * 1024 * 1024 });
  turn();
  answerAll(a(), 5);
  expect(large.value).toBe('done');
});

test('a leader that answers nothing holds up only what it was sent: the next one is asked at once', () => {
  const stuck = many(4_096);
  turn();
  b().tell(2, 'b');
  const call = ask('to b');
  turn();
  expect(b().names).toEqual(['to b']);
  answerAll(b());
  expect(call.value).toBe('done');
  clock.runFor(11_000);
  expect(new Set(stuck.map(({ code }) => code))).toEqual(new Set(['QUORATE_OUTCOME_UNKNOWN']));
});

test('what waited behind others until its time was over was not done, and is told so', () => {
  many(4_096, { timeoutMs: 60_000 });
  turn();
  const call = ask('behind', { timeoutMs: 100 });
  clock.runFor(200);
  expect(call).toMatchObject({
    code: 'QUORATE_OVERLOADED',
    message: expect.stringMatching(/^it waited behind 4096 calls.*a has not answered/),
  });
  expect(a().names).not.toContain('behind');
});

test('calls whose time is over make room for those behind them', () => {
  many(4_096, { timeoutMs: 100 });
  const behind = ask('behind');
  turn();
  expect(a().names).not.toContain('behind');
  // It lives.
  a().tell(1, 'a');
  clock.runFor(500);
  answerAll(a(), 4_096);
  expect(behind.value).toBe('done');
});

test('reads that are under way at a leader that was replaced are asked of the new one; writes are not', () => {
  const [read, write] = [ask('read', { operation: 'get' }), ask('write')];
  turn();
  b().tell(2, null);
  b().tell(2, 'b');
  turn();
  expect(b().names).toEqual(['read']);
  answerAll(b());
  a().reply({ id: a().asked[0]?.id as number, payload: new TextEncoder().encode('late') });
  expect([read.value, write]).toEqual(['done', {}]);
});

test('a call that was refused with nothing done is asked again after a while, and not with whatever is asked meanwhile', () => {
  const call = ask('refused');
  turn();
  const error = { code: 'QUORATE_OVERLOADED', message: 'full', details: {} } as const;
  a().reply({ id: a().asked[0]?.id as number, error });
  for (let at = 0; at < 10; at += 1) {
    ask(`other ${at}`);
    turn();
  }
  expect(a().names.filter((name) => name === 'refused')).toHaveLength(1);
  clock.runFor(25);
  expect(a().names.filter((name) => name === 'refused')).toHaveLength(2);
  answerAll(a(), 11);
  expect(call.value).toBe('done');
});

test('a call that was refused is asked again when the node said, spread over half as long, and within its time in any case', () => {
  const calls = [ask('now'), ask('soon'), ask('short', { timeoutMs: 1_000 })];
  turn();
  const error = { code: 'QUORATE_OVERLOADED', message: 'full', details: { retryAfterMs: 2_000 } } as const;
  for (const { id } of a().asked) {
    chance = id === a().asked[0]?.id ? 0 : 1;
    a().reply({ id, error });
  }
  const asked = (name: string): number => a().names.filter((one) => one === name).length - 1;
  clock.runFor(499);
  expect(['now', 'soon', 'short'].map(asked)).toEqual([0, 0, 0]);
  clock.runFor(1);
  expect(['now', 'soon', 'short'].map(asked)).toEqual([0, 0, 1]);
  // It lives.
  a().tell(1, 'a');
  clock.runFor(1_500);
  expect(['now', 'soon'].map(asked)).toEqual([1, 0]);
  clock.runFor(1_000);
  expect(['now', 'soon'].map(asked)).toEqual([1, 1]);
  answerAll(a(), 2);
  expect(calls.map(({ code }) => code)).toEqual([undefined, undefined, 'QUORATE_OUTCOME_UNKNOWN']);
});

test('a call that does not wait out an overload ends with it, and is not asked again', () => {
  const call = ask('refused', { waitsOutOverload: false });
  turn();
  a().reply({
    id: a().asked[0]?.id as number,
    error: { code: 'QUORATE_OVERLOADED', message: 'full', details: { retryAfterMs: 40 } },
  });
  expect(call).toEqual({ code: 'QUORATE_OVERLOADED', message: 'full' });
  clock.runFor(200);
  expect(a().names).toEqual(['refused']);
});

test.each<QuorateErrorCode>([
  'QUORATE_HALTED',
  'QUORATE_CLOSED',
  'QUORATE_OVERLOADED',
  'QUORATE_NO_LEADER',
  'QUORATE_NO_QUORUM',
])('a call refused with %s whose time is over ends with its refusal', (code) => {
  const call = ask('refused', { timeoutMs: 10 });
  turn();
  a().reply({ id: a().asked[0]?.id as number, error: { code, message: 'none', details: {} } });
  clock.runFor(25);
  expect(call).toMatchObject({ code, message: 'none' });
});

test('no answer in time: a write is unknown, a read is not', () => {
  const [read, write] = [ask('read', { operation: 'get', timeoutMs: 50 }), ask('write', { timeoutMs: 50 })];
  clock.runFor(50 + 300);
  expect([read.code, write.code]).toEqual(['QUORATE_NO_LEADER', 'QUORATE_OUTCOME_UNKNOWN']);
});

test('when a connection breaks, what waits and what was read goes over another, at once', () => {
  const [read, write] = [ask('read', { operation: 'get' }), ask('write')];
  turn();
  a().onclose?.({ reason: 'broken' });
  const next = ask('next');
  turn();
  expect(b().names).toEqual(['read', 'next']);
  answerAll(b());
  expect([read.value, write.code, next.value]).toEqual(['done', 'QUORATE_OUTCOME_UNKNOWN', 'done']);
});

test('a node that hangs is not waited for when the client closes', () => {
  dispatcher.close();
  clock.runFor(249);
  expect(a().isTerminated).toBe(false);
  b().onclose?.({ reason: '' });
  clock.runFor(1);
  expect([a().isTerminated, b().isTerminated]).toEqual([true, false]);
});

test('a burst that shares a signal has one listener on it, and none when it is over', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const calls = many(100, { signal });
  turn();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  const half = a().asked.slice(0, 50);
  a().reply(...half.map(({ id }) => ({ id, payload: new Uint8Array(0) })));
  const other = new AbortController();
  many(20, { signal: other.signal });
  turn();
  answerAll(a(), 100);
  expect(getEventListeners(other.signal, 'abort')).toHaveLength(0);
  controller.abort();
  expect(calls.map(({ code }) => code)).toEqual([...Array(50), ...Array(50).fill('QUORATE_OUTCOME_UNKNOWN')]);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('P52 an error that a listener throws is its own: the client goes on, and so do the other listeners', () => {
  const heard: string[] = [];
  dispatcher.events.on('leaderChanged', () => {
    throw new Error('of the listener');
  });
  dispatcher.events.on('leaderChanged', ({ leaderId }) => heard.push(String(leaderId)));
  const call = ask('to b');
  b().tell(2, 'b');
  expect(() => turn()).toThrow('of the listener');
  turn();
  answerAll(b());
  expect([heard, call.value]).toEqual([['b'], 'done']);
});

test('closing ends calls that wait: those that were refused, and those that no connection is there for', () => {
  const refused = ask('refused');
  turn();
  a().reply({ id: a().asked[0]?.id as number, error: { code: 'QUORATE_NO_LEADER', message: 'none', details: {} } });
  a().onclose?.({ reason: 'broken' });
  b().onclose?.({ reason: 'broken' });
  const waiting = ask('waiting');
  turn();
  dispatcher.close();
  expect([refused.code, waiting.code]).toEqual(['QUORATE_CLOSED', 'QUORATE_CLOSED']);
});

test('where only the endpoints are to be asked, no node that they tell of is dialed', async () => {
  const only = new Dispatcher({ endpoints: ['c'], service: 'key-value', platform, onlyEndpoints: true });
  sockets = { c: sockets.c as PlayedSocket };
  const isReady = only.ready({ timeoutMs: 1_000, signal: undefined });
  sockets.c?.tell(1, 'a');
  await isReady;
  clock.runFor(5_000);
  expect(Object.keys(sockets)).toEqual(['c']);
  only.close();
});

test.each(['quorate.1:7401', '[fe80::1%eth0]:7401'])(
  'a member at %s, which no URL can have, is not dialed',
  (address) => {
    const looked: string[] = [];
    const resolve: Platform['resolve'] = (name, { found }) => {
      looked.push(name);
      found([], false);
      return () => undefined;
    };
    const naming = new Dispatcher({ endpoints: ['c'], service: 'key-value', platform: { ...platform, resolve } });
    sockets.c?.tell(1, 'd', { c: 'c', d: address });
    expect([naming.leaderId, looked]).toEqual(['d', ['c']]);
    naming.close();
  },
);

test('where nodes are to be dialed once, it is over when none has answered; otherwise they are dialed again', async () => {
  const options = { endpoints: ['c', 'd'], service: 'key-value', platform };
  const ends: string[] = [];
  const until = (name: string, ready: Promise<void>): Promise<unknown> =>
    ready.then(
      () => ends.push(`${name} is ready`),
      ({ message }: Error) => ends.push(`${name}: ${message}`),
    );
  const once = new Dispatcher(options);
  const inVain = until('once', once.ready({ timeoutMs: 60_000, signal: undefined, dialsOnce: true }));
  sockets.c?.onclose?.({ reason: 'not there' });
  await Promise.resolve();
  expect(ends).toEqual([]);
  sockets.d?.onclose?.({ reason: 'nor there' });
  await inVain;
  expect(ends).toEqual(['once: no node answers: c (not there), d (nor there)']);
  once.close();
  const foreign = new Dispatcher({ ...options, endpoints: ['c'] });
  const refused = until('foreign', foreign.ready({ timeoutMs: 60_000, signal: undefined, dialsOnce: true }));
  sockets.c?.onclose?.({ reason: 'it answered HTTP 403: pages from there may not use this node' });
  await refused;
  expect(ends[1]).toMatch('foreign: no node lets this client in: c (it answered HTTP 403: pages');
  foreign.close();
  const again = new Dispatcher(options);
  const afterAll = until('again', again.ready({ timeoutMs: 60_000, signal: undefined }));
  for (const name of ['c', 'd']) sockets[name]?.onclose?.({ reason: 'not there' });
  clock.runFor(100);
  sockets.d?.tell(1, null);
  await afterAll;
  expect(ends.at(-1)).toBe('again is ready');
  again.close();
});
