import { describe, expect, test } from '@jest/globals';
import { asIndex, asTerm } from '../../src/raft/numbers-and-ids.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { CountedTransport } from '../../src/report/counted-transport.js';
import { MemoryNetwork, snapshotTransportConformance, VirtualClock } from '../../src/testing/index.js';
import { conforms } from '../testing/conforms.js';
import { memoryWorld } from '../transport/memory-world.js';
import { identityOf } from '../transport/reasons.js';

/** The memory network, each of whose ends is counted. */
function countedWorld() {
  const world = memoryWorld();
  const endpoint: typeof world.endpoint = async () => {
    const { transport, address } = await world.endpoint();
    return { transport: new CountedTransport(transport, new VirtualClock()), address };
  };
  return { ...world, endpoint };
}

conforms(
  'A transport that is counted carries snapshots',
  snapshotTransportConformance(async () => countedWorld()),
);

describe('the bytes of snapshots', () => {
  test('are counted where they are sent and where they are received, those that are sent again too', () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork({ clock });
    const [a, b] = ['a:1', 'b:1'].map((address) => new CountedTransport(network.transport(address), clock)) as [
      CountedTransport,
      CountedTransport,
    ];
    const wanted = { index: asIndex(7), term: asTerm(1) };
    const snapshot = { ...wanted, timeMs: 1, voters: [], bytes: 1_000 };
    const pieces = (from: number) => [new Uint8Array(1_000 - from), undefined];
    a.serveSnapshots?.(
      identityOf('a'),
      {
        store: {
          readFile: (_, from, done) => {
            const rest = pieces(from);
            done(undefined, { snapshot, next: (read) => read(undefined, rest.shift()), close: () => undefined });
          },
        },
        refused: (reason) => expect(reason).toBe(''),
      },
      DEFAULT_SETTINGS,
    );
    const source = b.snapshotSource?.(identityOf('b'), [{ id: 'a', address: 'a:1' }], DEFAULT_SETTINGS);
    for (const from of [0, 900]) {
      const ends: unknown[] = [];
      const ended = (error?: Error): void => void ends.push(error);
      source?.fetch('a', wanted, from, { begins: () => undefined, chunk: (_, taken) => taken(), ended });
      clock.runFor(1_000);
      expect(ends).toEqual([undefined]);
    }
    expect([a.snapshotBytes, b.snapshotBytes]).toEqual([
      { sent: 1_100, received: 0 },
      { sent: 0, received: 1_100 },
    ]);
  });

  test('are none where the transport carries no snapshots', () => {
    const transport = new CountedTransport(
      { accept: () => () => undefined, dial: () => ({}) as never },
      new VirtualClock(),
    );
    expect([transport.serveSnapshots, transport.snapshotSource]).toEqual([undefined, undefined]);
  });
});
