import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { Connection, Identity, Inbound, Transport } from '../../src/seams/index.js';

/** What a kind of transport must bring to be tested: endpoints by name, and a way to let things happen. */
export interface TransportWorld {
  /** A transport for a new endpoint, and the address under which others dial it. */
  endpoint(): Promise<{ transport: Transport; address: string }>;
  /** Resolves once the condition holds. */
  until(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

class Listener implements Inbound {
  readonly messages: { from: string; message: PeerMessage }[] = [];
  readonly arrivedFrom: string[] = [];
  readonly heardFrom: string[] = [];
  readonly refusals: string[] = [];

  arrived(from: string): void {
    this.arrivedFrom.push(from);
  }
  received(from: string, message: PeerMessage): void {
    this.messages.push({ from, message });
  }
  heard(from: string): void {
    this.heardFrom.push(from);
  }
  refused(reason: string): void {
    this.refusals.push(reason);
  }
}

interface Dialed {
  readonly connection: Connection;
  opened: boolean;
  closed: { reason: string; refused: boolean }[];
}

export const identityOf = (nodeId: string, change: Partial<Identity> = {}): Identity => {
  return { clusterId: 'cluster', nodeId, incarnation: `of ${nodeId}`, ...change };
};

const vote = (term: number): PeerMessage => {
  return { kind: 'vote-reply', term, granted: true, preVote: false } as PeerMessage;
};
const large = (requestId: number, bytes = 3 * 1024 * 1024): PeerMessage => {
  return { kind: 'propose-request', requestId, commands: [new Uint8Array(bytes).fill(requestId)] };
};

const commandOf = (message: PeerMessage): Buffer => {
  if (message.kind !== 'propose-request') throw new Error(`not a ${message.kind}`);
  return Buffer.from(message.commands[0] ?? []);
};

export function conformsAsTransport(name: string, create: () => Promise<TransportWorld>): void {
  describe(`${name} is a transport`, () => {
    let world: TransportWorld;
    beforeEach(async () => {
      world = await create();
    });
    afterEach(() => world.close());

    async function accepting(id: string, change: Partial<Identity> = {}) {
      const { transport, address } = await world.endpoint();
      const listener = new Listener();
      const stop = transport.accept(identityOf(id, change), listener);
      return { transport, address, listener, stop };
    }

    async function dial(identity: Identity, to: { id: string; address: string }, given?: Transport): Promise<Dialed> {
      const transport = given ?? (await world.endpoint()).transport;
      const dialed: Dialed = { connection: undefined as never, opened: false, closed: [] };
      const connection = transport.dial(identity, to, {
        opened: () => {
          dialed.opened = true;
        },
        closed: (reason, refused) => void dialed.closed.push({ reason, refused }),
      });
      return Object.assign(dialed, { connection });
    }

    async function connected() {
      const b = await accepting('b');
      const a = await dial(identityOf('a'), { id: 'b', address: b.address });
      await world.until(() => a.opened);
      return { a, b };
    }

    test('what is sent arrives, in order, with the name of its sender', async () => {
      const { a, b } = await connected();
      for (let term = 1; term <= 50; term += 1) expect(a.connection.send(vote(term))).toBe(true);
      await world.until(() => b.listener.messages.length === 50);
      expect(b.listener.arrivedFrom).toEqual(['a']);
      expect(b.listener.messages).toEqual(
        Array.from({ length: 50 }, (_, at) => ({ from: 'a', message: vote(at + 1) })),
      );
    });

    test('before it is open, and after it was closed, nothing is taken', async () => {
      const b = await accepting('b');
      const a = await dial(identityOf('a'), { id: 'b', address: b.address });
      expect(a.connection.send(vote(1))).toBe(false);
      await world.until(() => a.opened);
      a.connection.close();
      expect(a.connection.send(vote(2))).toBe(false);
      expect(a.closed).toEqual([]);
    });

    test('large messages arrive whole and in order', async () => {
      const { a, b } = await connected();
      for (const id of [1, 2, 3]) a.connection.send(large(id));
      await world.until(() => b.listener.messages.length === 3);
      // Compared by Buffer: a matcher that looks at each of millions of bytes takes seconds.
      const arrived = b.listener.messages.map(({ message }) => commandOf(message));
      for (const [at, bytes] of arrived.entries()) expect(bytes.equals(commandOf(large(at + 1)))).toBe(true);
    });

    test('nobody there: closed, not refused, and once', async () => {
      const gone = await accepting('b');
      gone.stop();
      const { address } = await world.endpoint();
      const a = await dial(identityOf('a'), { id: 'b', address });
      await world.until(() => a.closed.length > 0);
      expect(a.closed).toHaveLength(1);
      expect(a.closed[0]?.refused).toBe(false);
      expect(a.opened).toBe(false);
    });

    test('who stops accepting closes what it has, and can be dialed again when it is back', async () => {
      const { a, b } = await connected();
      b.stop();
      await world.until(() => a.closed.length > 0);
      const listener = new Listener();
      b.transport.accept(identityOf('b'), listener);
      const again = await dial(identityOf('a'), { id: 'b', address: b.address });
      await world.until(() => again.opened);
      again.connection.send(vote(9));
      await world.until(() => listener.messages.length === 1);
    });

    test.each<[string, Identity, string, RegExp]>([
      ['another cluster', identityOf('a', { clusterId: 'other' }), 'b', /belongs to cluster other/],
      ['our own id, from another directory', identityOf('b', { incarnation: 'x' }), 'b', /two nodes have the id b/],
      ['ourselves', identityOf('b'), 'b', /dialed itself/],
    ])('%s is refused, with the reason on both sides', async (_name, identity, expected, reason) => {
      const b = await accepting('b');
      const a = await dial(identity, { id: expected, address: b.address });
      await world.until(() => a.closed.length > 0 && b.listener.refusals.length > 0);
      expect(a.closed).toEqual([{ reason: expect.stringMatching(reason), refused: true }]);
      expect(b.listener.refusals[0]).toMatch(reason);
      expect(a.opened).toBe(false);
    });

    test('an id that was met with another data directory is refused', async () => {
      const { b } = await connected();
      const wiped = await dial(identityOf('a', { incarnation: 'wiped' }), { id: 'b', address: b.address });
      await world.until(() => wiped.closed.length > 0 && b.listener.refusals.length > 0);
      expect(wiped.closed[0]).toEqual({ reason: expect.stringMatching('another data directory'), refused: true });
      expect(b.listener.refusals[0]).toMatch('another data directory');
    });

    test('whoever answers in place of the expected peer is left again', async () => {
      const b = await accepting('b');
      const a = await dial(identityOf('a'), { id: 'c', address: b.address });
      await world.until(() => a.closed.length > 0);
      expect(a.closed).toEqual([{ reason: expect.stringMatching(/b answers where c was expected/), refused: true }]);
    });
  });
}
