import { beforeEach, expect, test } from '@jest/globals';
import { Dispatcher } from '../../src/client/dispatcher.js';
import { VirtualClock } from '../../src/testing/index.js';
import type { Operation } from '../../src/wire/client-frames.js';
import { PlayedSocket } from './played-socket.js';

/** The members' addresses lead nowhere from here: only the endpoints' ports, p and q, are published. */
const MEMBERS = { a: 'a.inside', b: 'b.inside' };

let clock: VirtualClock;
/** All that were opened, by host. */
let sockets: Record<string, PlayedSocket[]>;
let dispatcher: Dispatcher;

beforeEach(() => {
  clock = new VirtualClock();
  sockets = {};
  const openSocket = (url: string): PlayedSocket => {
    const socket = new PlayedSocket();
    const { host } = new URL(url);
    sockets[host] = [...(sockets[host] ?? []), socket];
    return socket;
  };
  const platform = {
    openSocket,
    now: () => clock.now(),
    random: () => 0,
    setTimeout: (callback: () => void, delayMs: number) => clock.setTimeout(callback, delayMs),
    clearTimeout: (handle: unknown) => clock.clearTimeout(handle as never),
    defer: (callback: () => void) => clock.defer(callback),
  };
  dispatcher = new Dispatcher({ endpoints: ['p', 'q'], service: 'key-value', platform });
  for (const socket of [p(), q()]) socket.tell(1, 'a', MEMBERS);
});

const newest = (host: string): PlayedSocket => sockets[host]?.at(-1) as PlayedSocket;
const p = (): PlayedSocket => newest('p');
const q = (): PlayedSocket => newest('q');

interface Outcome {
  value?: string;
  code?: string;
}

function ask(name: string, timeoutMs: number, operation: Operation = 'propose'): Outcome {
  const outcome: Outcome = {};
  dispatcher.ask({
    operation,
    payload: new TextEncoder().encode(name),
    deadlineMs: dispatcher.deadlineMs(timeoutMs),
    signal: undefined,
    waitsOutOverload: true,
    decode: (answer) => new TextDecoder().decode(answer),
    resolve: (value) => void Object.assign(outcome, { value }),
    reject: (error) => void Object.assign(outcome, { code: (error as { code: string }).code }),
  });
  clock.runFor(0);
  return outcome;
}

const answer = (socket: PlayedSocket, at: number): void =>
  socket.reply({ id: socket.asked[at]?.id as number, payload: new TextEncoder().encode('done') });

test('a node that has said nothing since a call was sent to it is passed over for the next one, until it speaks', () => {
  const first = ask('first', 100);
  clock.runFor(400);
  expect(first.code).toBe('QUORATE_OUTCOME_UNKNOWN');
  ask('second', 100);
  expect([p().names, q().names]).toEqual([['first'], ['second']]);
  answer(p(), 0);
  ask('third', 100);
  expect([p().names, q().names]).toEqual([['first', 'third'], ['second']]);
});

test('what else was read there and has time left is asked of another node; a write is not', () => {
  const [read, write] = [ask('read', 10_000, 'get'), ask('write', 10_000)];
  ask('short', 100, 'get');
  clock.runFor(400);
  expect([p().names, q().names]).toEqual([['read', 'write', 'short'], ['read']]);
  answer(q(), 0);
  expect([read, write]).toEqual([{ value: 'done' }, {}]);
});

test('one that has said something since is only slow, and is asked further', () => {
  ask('slow', 100);
  const quick = ask('quick', 100);
  answer(p(), 1);
  clock.runFor(400);
  ask('next', 100);
  expect([quick.value, p().names, q().names]).toEqual(['done', ['slow', 'quick', 'next'], []]);
});

test('where all are silent, they are asked all the same', () => {
  for (const name of ['one', 'two', 'three']) {
    ask(name, 100);
    clock.runFor(400);
  }
  expect([p().names, q().names]).toEqual([['one', 'three'], ['two']]);
});

test('a connection that stays silent is dialed anew: its packets may vanish for ever', () => {
  ask('first', 100);
  clock.runFor(11_000);
  expect(sockets.p).toHaveLength(2);
  expect(sockets.p?.[0]?.isTerminated).toBe(true);
  p().tell(1, 'a', MEMBERS);
  ask('next', 100);
  expect(p().names).toEqual(['next']);
  answer(p(), 0);
  clock.runFor(60_000);
  expect(sockets.p).toHaveLength(2);
});

test.each([
  ['what it sends leaves', (socket: PlayedSocket) => (socket.bufferedAmount -= 100)],
  ['bytes of an answer come', (socket: PlayedSocket) => (socket.bytesRead += 100)],
])('P50 a connection on a slow line is kept as long as %s, and dialed anew when that ends', (_, move) => {
  const slow = p();
  slow.bufferedAmount = 1_000;
  ask('large', 100_000);
  ask('behind it', 100, 'get');
  for (let seconds = 0; seconds < 30; seconds += 5) {
    clock.runFor(5_000);
    move(slow);
  }
  expect([sockets.p?.length, slow.isTerminated]).toEqual([1, false]);
  clock.runFor(25_000);
  expect([sockets.p?.length, slow.isTerminated]).not.toEqual([1, false]);
});

test('a way on which three round trips take seconds is opened at the second dial', () => {
  const openAfter = (ms: number): void => {
    const socket = p();
    clock.setTimeout(() => socket.tell(1, 'a', MEMBERS), ms);
  };
  p().onclose?.({ reason: 'cut' });
  clock.runFor(100);
  openAfter(4_000);
  clock.runFor(3_100);
  const dials = sockets.p?.length;
  openAfter(4_000);
  clock.runFor(4_500);
  const outcome = ask('far', 10_000);
  answer(p(), 0);
  expect([dials, sockets.p?.length, outcome.value]).toEqual([3, 3, 'done']);
});
