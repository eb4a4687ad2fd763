import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { Connection } from '../../src/http/connection.js';
import { Exchange } from '../../src/http/exchange.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class PlayedSocket extends EventEmitter {
  isPaused = false;
  destroyed = false;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
    this.emit('resume');
  }
  destroy(): void {
    this.destroyed = true;
  }
}

class PlayedResponse extends EventEmitter {
  writableEnded = false;
  writableFinished = false;
  destroyed = false;
  writableLength = 0;
  looks = 0;
  end(bytes = 0): void {
    this.writableEnded = true;
    this.writableLength = bytes;
  }
  leave(): void {
    this.writableFinished = true;
    this.writableLength = 0;
    this.emit('close');
  }
}

/** A connection on which requests come as the test says, and leave as it says. */
function playedConnection() {
  const socket = new PlayedSocket();
  const connection = Connection.of(socket as unknown as Duplex);
  const begun: number[] = [];
  const finish: (() => void)[] = [];
  const responses: PlayedResponse[] = [];
  let looks = 0;
  const come = (method: string, answer?: (exchange: Exchange) => Promise<void>): Exchange => {
    const response = new PlayedResponse();
    const at = responses.push(response) - 1;
    const message = { method, complete: true } as unknown as IncomingMessage;
    const exchange = new Exchange(message, response as unknown as ServerResponse);
    const isOver = Object.getOwnPropertyDescriptor(Exchange.prototype, 'isOver')?.get as () => boolean;
    Object.defineProperty(exchange, 'isOver', {
      get: () => {
        looks += 1;
        return isOver.call(exchange);
      },
    });
    connection.take(exchange, () => {
      begun.push(at);
      return answer?.(exchange) ?? new Promise((resolve) => finish.push(resolve));
    });
    return exchange;
  };
  return { socket, connection, begun, finish, responses, come, looks: () => looks };
}

describe('a connection on which a client sends and does not read', () => {
  test('looks at few requests for each one that comes, however many wait', () => {
    const { come, looks } = playedConnection();
    for (let count = 0; count < 20_000; count += 1) come('PUT');
    expect(looks()).toBeLessThan(20_000 * 4);
  });

  test('is read no further while many requests wait, and again when few do', async () => {
    const { socket, come, finish, responses } = playedConnection();
    for (let count = 0; count < 200; count += 1) come('PUT');
    await nextTurn();
    expect(socket.isPaused).toBe(true);
    for (let count = 0; count < 190; count += 1) {
      responses[count]?.end();
      finish[count]?.();
      responses[count]?.leave();
      await nextTurn();
    }
    expect(socket.isPaused).toBe(false);
  });

  test('is paused again when something else makes it read on', () => {
    const { socket, come } = playedConnection();
    for (let count = 0; count < 200; count += 1) come('PUT');
    socket.resume();
    expect(socket.isPaused).toBe(true);
  });

  test('makes no further answers to reads while much has not left', async () => {
    const { come, responses } = playedConnection();
    let made = 0;
    const MEBIBYTE = 1024 * 1024;
    for (let count = 0; count < 50; count += 1) {
      come('GET', async (exchange) => {
        await exchange.room();
        made += 1;
        (exchange.response as unknown as PlayedResponse).end(11 * MEBIBYTE);
      });
    }
    await nextTurn();
    expect(made).toBe(1);
    responses[0]?.leave();
    await nextTurn();
    expect(made).toBe(2);
  });

  test('that closes makes no further answers', async () => {
    const { socket, come } = playedConnection();
    const outcomes: string[] = [];
    for (let count = 0; count < 5; count += 1) {
      come('GET', async (exchange) => {
        await exchange.room().then(
          () => outcomes.push('made'),
          (error) => outcomes.push(error.code),
        );
        (exchange.response as unknown as PlayedResponse).end(2 ** 24);
      });
    }
    await nextTurn();
    expect(outcomes).toEqual(['made']);
    socket.emit('close');
    await nextTurn();
    expect(outcomes).toEqual(['made', ...Array(4).fill('QUORATE_ABORTED')]);
  });
});

describe('requests of one connection', () => {
  test('that change something run alone, those that change nothing beside each other', async () => {
    const { come, begun, finish, responses } = playedConnection();
    for (const method of ['GET', 'GET', 'PUT', 'GET', 'GET']) come(method);
    expect(begun).toEqual([0, 1]);
    for (const at of [0, 1]) responses[at]?.end();
    finish[0]?.();
    finish[1]?.();
    await nextTurn();
    expect(begun).toEqual([0, 1, 2]);
    finish[2]?.();
    await nextTurn();
    expect(begun).toEqual([0, 1, 2, 3, 4]);
  });

  test('P45 that came while the process stood still end with their caller, and leave no listeners behind', () => {
    const { socket, come } = playedConnection();
    const before = socket.listenerCount('end');
    const exchanges = Array.from({ length: 50 }, () => come('PUT'));
    for (const exchange of exchanges.slice(0, 25)) exchange.endsWithCaller = () => true;
    expect(socket.listenerCount('end')).toBe(before);
    socket.emit('end');
    expect(exchanges.map(({ hasHungUp }) => hasHungUp)).toEqual([...Array(25).fill(true), ...Array(25).fill(false)]);
    socket.emit('close');
  });
});
