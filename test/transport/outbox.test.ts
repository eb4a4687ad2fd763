import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import type { WebSocket } from 'ws';
import type { PeerMessage } from '../../src/raft/messages.js';
import { entry } from '../../src/testing/conformance/records-to-write.js';
import { EntryEncoder } from '../../src/wire/records.js';
import { Reassembler } from '../../transport/fragments.js';
import { decodeMessage } from '../../transport/frames.js';
import { MOST_WAITING_BYTES } from '../../transport/send-queue.js';
import { Outbox } from '../../transport/web-socket/outbox.js';
import { appendOf, heartbeat, request } from './messages.js';

/** An outbox on a socket that keeps what it gets until `carry`, and a list of what happened, in order. */
function outboxOnSlowSocket() {
  const socket = Object.assign(new EventEmitter(), { writableLength: 0 });
  const parts = new Reassembler(64 * 1024 * 1024);
  const happened: (string | number)[] = [];
  let held: Uint8Array[] = [];
  const webSocket = {
    send: (bytes: Uint8Array) => {
      // The very bytes, as a real socket keeps what the kernel has not taken.
      held.push(bytes);
      socket.writableLength += bytes.byteLength;
    },
    ping: () => happened.push('ping'),
  };
  const roomMade = (): void => void happened.push('room');
  const outbox = new Outbox(webSocket as unknown as WebSocket, socket as unknown as Socket, {
    roomMade,
    entryEncoder: new EntryEncoder(),
  });
  const send = (message: PeerMessage): boolean => {
    const isTaken = outbox.send(message);
    if (!isTaken) happened.push('refused');
    return isTaken;
  };
  /** The network takes all that the socket holds. */
  const carry = (): void => {
    const carried = held;
    held = [];
    socket.writableLength = 0;
    for (const frame of carried) {
      const whole = parts.take(frame);
      if (whole === undefined) continue;
      const message = decodeMessage(whole);
      happened.push(message.kind === 'propose-request' ? message.requestId : message.kind);
    }
    socket.emit('drain');
  };
  const carryAll = (): void => {
    while (held.length > 0) carry();
  };
  return { outbox, socket, happened, send, carryAll, held: () => held };
}

describe('an outbox', () => {
  test('P50 while the socket is busy a large message waits, goes when there is room, and is overtaken by none', () => {
    const { happened, send, carryAll } = outboxOnSlowSocket();
    // More than the socket may hold, by messages that are small enough to be put on it directly.
    for (let id = 1; id <= 4; id += 1) send(request(id, 200_000));
    send(request(5, 400_000));
    send(request(6, 1_000));
    carryAll();
    send(request(7, 10));
    carryAll();
    expect(happened).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('tells of room after the refusals that it ends, and never between a refusal and its being told', () => {
    const { happened, send, socket } = outboxOnSlowSocket();
    let id = 0;
    while (send(request(id, 250_000))) id += 1;
    expect(id * 250_000).toBeGreaterThan(MOST_WAITING_BYTES);
    expect(happened).toEqual(['refused']);
    // The network has taken much, and the next message comes before the socket has said so.
    for (let round = 0; round < 20 && happened.length < 2; round += 1) {
      socket.writableLength = 0;
      send(heartbeat(round));
    }
    expect(happened).toEqual(['refused', 'room']);
    expect(send(request(id, 10))).toBe(true);
  });

  test('a message that makes room as it comes is taken, and whoever was refused before has been told first', () => {
    const { happened, send, socket } = outboxOnSlowSocket();
    let id = 0;
    while (send(request(id, 250_000))) id += 1;
    let tries = 0;
    do {
      socket.writableLength = 0;
      tries += 1;
    } while (!send(request(id, 250_000)) && tries < 100);
    expect(happened.filter((what) => what === 'room')).toEqual(['room']);
    expect(happened.at(-1)).toBe('room');
  });

  test('what the socket still holds is what was sent, whatever is sent after it', () => {
    const { send, carryAll, held } = outboxOnSlowSocket();
    for (let index = 1; index <= 3; index += 1) send(appendOf(entry(index, 1, String(index).repeat(200))));
    const sent = held().map((frame) => decodeMessage(frame));
    expect(sent).toEqual([1, 2, 3].map((index) => appendOf(entry(index, 1, String(index).repeat(200)))));
    carryAll();
  });

  test('pings only where nothing else has left since the last beat', () => {
    const { outbox, happened, send, carryAll } = outboxOnSlowSocket();
    outbox.beat();
    send(heartbeat(1));
    carryAll();
    outbox.beat();
    outbox.beat();
    expect(happened).toEqual(['ping', 'append', 'ping']);
  });
});
