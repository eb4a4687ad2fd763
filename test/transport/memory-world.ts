import type { TransportWorld } from '../../src/testing/index.js';
import { MemoryNetwork, VirtualClock } from '../../src/testing/index.js';
import { REASONS } from './reasons.js';

/** A memory network on virtual time, as the conformance suite of transports asks for it. */
export function memoryWorld(): TransportWorld {
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
    reasons: REASONS,
  };
}
