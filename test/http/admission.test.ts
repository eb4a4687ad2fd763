import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { Client } from '../../src/http/admission.js';
import { Admission } from '../../src/http/admission.js';
import { VirtualClock } from '../../src/testing/index.js';

const PEERS = 2;
/** What is kept back beside two peers. */
const KEPT = 16 + 6 * PEERS;

/** Closes at once. */
class PlayedSocket extends EventEmitter {
  destroy(): void {
    this.emit('close');
  }
}

/** A process that may have `limit` descriptors open, and has `used` of its own. */
function processOf({ limit, used }: { limit: number; used: number }) {
  const clock = new VirtualClock();
  const open = new Set<Duplex>();
  const ended: Duplex[] = [];
  const warnings: string[] = [];
  const own = { limit, used };
  const busy = new Set<Duplex>();
  const admission = new Admission({
    clock,
    maxConnections: undefined,
    peers: () => PEERS,
    countDescriptors: () => ({ limit: own.limit, used: own.used + open.size }),
    warn: (message) => warnings.push(message),
  });
  const connect = (): { socket: Duplex; refused: boolean } => {
    const socket = new PlayedSocket() as unknown as Duplex;
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    const client: Client = {
      end: () => {
        ended.push(socket);
        socket.destroy();
      },
      isIdle: () => !busy.has(socket),
      asked: () => 0,
    };
    admission.arrived(socket, client);
    return { socket, refused: admission.refusal(socket, client) !== undefined };
  };
  const connectMany = (count: number) => Array.from({ length: count }, connect);
  return { admission, clock, own, open, busy, ended, warnings, connect, connectMany };
}

describe('P47 descriptors are kept back for the log and the peers', () => {
  test('clients get all the others, and not one more', () => {
    const { connectMany, connect, warnings } = processOf({ limit: 100, used: 20 });
    const room = 100 - 20 - KEPT;
    expect(connectMany(room).filter(({ refused }) => refused)).toHaveLength(0);
    expect(connect().refused).toBe(true);
    expect(warnings).toEqual([expect.stringContaining(`${KEPT} are kept for the log and the peers`)]);
  });

  test('one that closes makes room for one', () => {
    const { connectMany, connect, clock } = processOf({ limit: 100, used: 20 });
    const [first] = connectMany(100 - 20 - KEPT);
    const turnedAway = connect();
    expect(turnedAway.refused).toBe(true);
    turnedAway.socket.destroy();
    first?.socket.destroy();
    clock.runFor(200);
    expect([connect().refused, connect().refused]).toEqual([false, true]);
  });

  test('where the process itself opens more, clients that ask nothing are ended until what is kept is free again', () => {
    const { connectMany, own, clock, ended, open } = processOf({ limit: 100, used: 20 });
    connectMany(40);
    own.used += 30;
    clock.runFor(5_000);
    expect(own.limit - own.used - open.size).toBe(KEPT);
    expect(ended).toHaveLength(40 - (100 - 50 - KEPT));
  });

  test('those that wait for an answer are ended last, however long they have been connected', () => {
    const { connectMany, own, clock, ended, busy } = processOf({ limit: 100, used: 20 });
    const sockets = connectMany(40).map(({ socket }) => socket);
    for (const socket of sockets.slice(0, 30)) busy.add(socket);
    own.used += 30;
    clock.runFor(3_000);
    const missing = 40 - (100 - 50 - KEPT);
    expect(ended).toEqual([...sockets.slice(30), ...sockets.slice(0, missing - 10)]);
  });

  test('peers take no place of a client, but no more come in than there can be', () => {
    const { admission, connectMany, open } = processOf({ limit: 200, used: 20 });
    const peers = connectMany(30).map(({ socket }) => admission.admitPeer(socket));
    expect(peers.filter((isAdmitted) => isAdmitted)).toHaveLength(8 + 2 * PEERS);
    expect(open.size).toBe(30);
  });
});
