import { describe, expect, test } from '@jest/globals';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { snapshotTransportConformance, transportConformance, VirtualClock } from '../../src/testing/index.js';
import type { Conditions } from '../../transport/memory/transport.js';
import { MemoryNetwork } from '../../transport/memory/transport.js';
import { conforms } from '../testing/conforms.js';
import { memoryWorld } from './memory-world.js';
import { identityOf } from './reasons.js';

conforms(
  'MemoryNetwork is a transport',
  transportConformance(async () => memoryWorld()),
);
conforms(
  'MemoryNetwork carries snapshots',
  snapshotTransportConformance(async () => memoryWorld()),
);

/** A pulse so slow that no test meets it. */
const CALM = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 60_000 };

describe('conditions', () => {
  /** Sends 200 messages from a to b; the terms that arrived, in the order in which they did. */
  function arrivals(change: (network: MemoryNetwork) => void, seed = 1): number[] {
    const clock = new VirtualClock();
    let state = seed;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const network = new MemoryNetwork({ clock, random });
    const terms: number[] = [];
    network.transport('b').accept(
      identityOf('b'),
      {
        arrived: () => undefined,
        received: (_from, message) => void terms.push('term' in message ? message.term : -1),
        heard: () => undefined,
        refused: () => undefined,
      },
      DEFAULT_SETTINGS,
    );
    const nothing = (): void => undefined;
    const events = { opened: nothing, delayed: nothing, roomMade: nothing, closed: nothing };
    const connection = network.transport('a').dial(identityOf('a'), { id: 'b', address: 'b' }, events, CALM);
    clock.runFor(5);
    change(network);
    for (let term = 1; term <= 200; term += 1) {
      connection.send({ kind: 'vote-reply', term, granted: true, preVote: false } as never);
      clock.runFor(1);
    }
    clock.runFor(100);
    return terms;
  }

  const inOrder = Array.from({ length: 200 }, (_, at) => at + 1);
  const conditions = { leastDelayMs: 0, mostDelayMs: 3, loss: 0, duplication: 0, reordering: 0 };

  test('calm: all, in order', () => {
    expect(arrivals(() => undefined)).toEqual(inOrder);
  });

  test('loss, duplication and reordering do what they say, and the same each time with the same seed', () => {
    const under = (change: Partial<Conditions>) => (network: MemoryNetwork) => {
      network.conditions = { ...conditions, ...change };
    };
    const lossy = under({ loss: 0.3 });
    expect(arrivals(lossy).length).toBeLessThan(180);
    expect(arrivals(lossy)).toEqual(arrivals(lossy));
    expect(arrivals(lossy, 2)).not.toEqual(arrivals(lossy));
    const doubled = arrivals(under({ duplication: 0.3 }));
    expect(doubled.length).toBeGreaterThan(220);
    expect(new Set(doubled).size).toBe(200);
    const mixed = arrivals(under({ reordering: 0.3 }));
    expect(mixed).not.toEqual(inOrder);
    expect([...mixed].sort((a, b) => a - b)).toEqual(inOrder);
  });

  test('a cut is one-way, a partition both, and healing ends them', () => {
    expect(arrivals((network) => network.cut('a', 'b'))).toEqual([]);
    expect(arrivals((network) => network.cut('b', 'a'))).toEqual(inOrder);
    expect(arrivals((network) => network.partition([['a'], ['b']]))).toEqual([]);
    expect(
      arrivals((network) => {
        network.partition([['a'], ['b']]);
        network.heal();
      }),
    ).toEqual(inOrder);
  });
});
