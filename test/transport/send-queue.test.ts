import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import type { PeerMessage } from '../../src/raft/messages.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/numbers-and-ids.js';
import { EntryEncoder } from '../../src/wire/records.js';
import { decodeMessage } from '../../transport/frames.js';
import { MOST_WAITING_BYTES, SendQueue } from '../../transport/send-queue.js';
import { heartbeat, request } from './messages.js';

const reply = (requestId: number, bytes = 0): PeerMessage => {
  const outcome = { kind: 'results', results: [new Uint8Array(bytes)] } as const;
  return { kind: 'propose-reply', requestId, outcome };
};

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function usedBytes(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const taken = (queue: SendQueue): PeerMessage[] => {
  const messages: PeerMessage[] = [];
  for (let frame = queue.take(); frame !== undefined; frame = queue.take()) messages.push(decodeMessage(frame));
  return messages;
};

describe('a queue of what waits to leave', () => {
  test('a heartbeat gives way to a newer one, which stands behind what came in between', () => {
    const queue = new SendQueue(new EntryEncoder());
    queue.offer(heartbeat(1));
    queue.offer(reply(1));
    queue.offer(heartbeat(2));
    queue.offer(heartbeat(3));
    expect(taken(queue)).toEqual([reply(1), heartbeat(3)]);
    expect(queue.bytes).toBe(0);
  });

  test('600,000 heartbeats and rounds to a peer that takes nothing are one', () => {
    const queue = new SendQueue(new EntryEncoder());
    for (let round = 1; round <= 600_000; round += 1) queue.offer(heartbeat(round));
    expect(queue.bytes).toBeLessThan(1_024);
    expect(taken(queue)).toEqual([heartbeat(600_000)]);
  });

  test('acceptances that wait are one, with the newest place and the newest round of them', () => {
    const acceptance = (matchIndex: number, readRound: number, term = 1): PeerMessage => ({
      kind: 'append-reply',
      term: asTerm(term),
      accepted: true,
      matchIndex: asIndex(matchIndex),
      readRound: asReadRound(readRound),
    });
    const queue = new SendQueue(new EntryEncoder());
    queue.offer(acceptance(5, 1));
    queue.offer(acceptance(9, 2));
    queue.offer(acceptance(7, 3));
    queue.offer(acceptance(1, 4, 2));
    expect(taken(queue)).toEqual([acceptance(9, 3), acceptance(1, 4, 2)]);
  });

  test('one message more than the bound is held, and there is room again at half of it', () => {
    const queue = new SendQueue(new EntryEncoder());
    const bytes = 128 * 1024;
    let requests = 0;
    while (requests < 1_000 && queue.offer(request(requests, bytes))) requests += 1;
    expect(requests * bytes).toBeLessThanOrEqual(MOST_WAITING_BYTES + bytes);
    expect(queue.makesRoom()).toBe(false);
    while (queue.bytes > MOST_WAITING_BYTES / 2) {
      expect(queue.makesRoom()).toBe(false);
      expect(queue.offer(request(requests, 1))).toBe(false);
      queue.take();
    }
    expect(queue.makesRoom()).toBe(true);
    expect(queue.makesRoom()).toBe(false);
    expect(queue.offer(request(requests, 1))).toBe(true);
  });

  test('that never runs empty keeps nothing of what has left', () => {
    const queue = new SendQueue(new EntryEncoder());
    for (let id = 0; id < 4; id += 1) queue.offer(request(id, 250_000));
    const before = usedBytes();
    let most = 0;
    for (let id = 4; id < 1_500; id += 1) {
      queue.offer(request(id, 250_000));
      queue.take();
      if (id % 250 === 0) most = Math.max(most, usedBytes() - before);
    }
    expect(queue.isEmpty).toBe(false);
    expect(most).toBeLessThan(120 * 1024 * 1024);
  });
});
