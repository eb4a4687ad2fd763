import { describe, expect, test } from '@jest/globals';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import { VirtualClock } from '../../src/testing/index.js';
import type { Conditions } from '../../transport/memory/transport.js';
import { MemoryNetwork } from '../../transport/memory/transport.js';
import { conformsAsTransport, identityOf } from './transport.conformance.js';

conformsAsTransport('MemoryNetwork', async () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const addresses: string[] = [];
  let cutTo: string | undefined;
  let cutFrom: string | undefined;
  const cut = (): void => {
    for (const address of addresses) {
      if (cutTo !== undefined && address !== cutTo) network.cut(address, cutTo);
      if (cutFrom !== undefined && address !== cutFrom) network.cut(cutFrom, address);
    }
  };
  return {
    endpoint: async () => {
      const address = `host:${addresses.length + 1}`;
      addresses.push(address);
      cut();
      return { transport: network.transport(address), address };
    },
    until: async (holds) => {
      const untilMs = clock.now() + 60_000;
      while (!holds()) {
        if (!clock.advanceToNext() || clock.now() > untilMs) throw new Error('not within a minute of virtual time');
      }
    },
    pass: async (ms) => clock.runFor(ms),
    cutTo: (address) => {
      cutTo = address;
      cut();
    },
    cutFrom: (address) => {
      cutFrom = address;
      cut();
    },
    heal: () => {
      cutTo = undefined;
      cutFrom = undefined;
      network.heal();
    },
    slow: (_address, bytesPerSecond) => {
      network.conditions = { ...network.conditions, bytesPerSecond };
    },
    close: async () => undefined,
  };
});

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
