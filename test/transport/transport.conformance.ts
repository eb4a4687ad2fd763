import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Entry } from '../../src/raft/entry.js';
import { asIndex, asReadRound, asTerm } from '../../src/raft/kinds.js';
import type { Append, PeerMessage } from '../../src/raft/messages.js';
import { DEFAULT_SETTINGS } from '../../src/raft/settings.js';
import type { Connection, DialEvents, Identity, Inbound, LinkSettings, Transport } from '../../src/seams/index.js';

/** What a kind of transport must bring to be tested: endpoints by name, and a way to let things happen. */
export interface TransportWorld {
  /** A transport for a new endpoint, and the address under which others dial it. */
  endpoint(): Promise<{ transport: Transport; address: string }>;
  /** Resolves once the condition holds. */
  until(holds: () => boolean): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** From now on nothing reaches the endpoint at `address`; connections stay open. */
  cutTo(address: string): void;
  /** From now on nothing comes back from it. */
  cutFrom(address: string): void;
  /** Ends all cuts. What was held up goes on. */
  heal(): void;
  /** So fast do connections to the endpoint carry bytes. */
  slow(address: string, bytesPerSecond: number): void;
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
  rooms: number;
  closed: { reason: string; refused: boolean }[];
}

export const identityOf = (nodeId: string, change: Partial<Identity> = {}): Identity => {
  return { clusterId: 'cluster', nodeId, incarnation: `of ${nodeId}`, ...change };
};

const vote = (term: number): PeerMessage => {
  return { kind: 'vote-reply', term, granted: true, preVote: false } as PeerMessage;
};
const large = (requestId: number, bytes = 3 * 1024 * 1024): PeerMessage => {
  return { kind: 'propose-request', requestId, remainingMs: 1_000, commands: [new Uint8Array(bytes).fill(requestId)] };
};

/** An append of one entry at `index`, or a heartbeat behind it. */
const append = (index: number, bytes: number | null, readRound = 0): Append => {
  const entry: Entry = {
    kind: 'command',
    index: asIndex(index),
    term: asTerm(1),
    timeMs: 0,
    sessionId: 0,
    sequence: 0,
    lowWater: 0,
    payload: new Uint8Array(bytes ?? 0),
  };
  return {
    kind: 'append',
    term: asTerm(1),
    previous: {
      index: asIndex(bytes === null ? index : index - 1),
      term: asTerm(index === 1 && bytes !== null ? 0 : 1),
    },
    entries: bytes === null ? [] : [entry],
    commitIndex: asIndex(0),
    readRound: asReadRound(readRound),
  };
};
const accepted = (matchIndex: number): PeerMessage => {
  const readRound = asReadRound(matchIndex);
  return { kind: 'append-reply', term: asTerm(1), accepted: true, matchIndex: asIndex(matchIndex), readRound };
};

const commandOf = (message: PeerMessage): Buffer => {
  if (message.kind !== 'propose-request') throw new Error(`not a ${message.kind}`);
  return Buffer.from(message.commands[0] ?? []);
};

export function conformsAsTransport(name: string, create: () => Promise<TransportWorld>): void {
  describe(`${name} is a transport`, () => {
    let world: TransportWorld;
    let settings: LinkSettings;
    beforeEach(async () => {
      // A pulse so slow that no test meets it, but for those that are about it.
      settings = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 1_000_000 };
      world = await create();
    });
    afterEach(() => world.close());

    const withPulse = (): void => {
      settings = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 20 };
    };

    async function accepting(id: string, change: Partial<Identity> = {}) {
      const { transport, address } = await world.endpoint();
      const listener = new Listener();
      const stop = transport.accept(identityOf(id, change), listener, settings);
      return { transport, address, listener, stop };
    }

    async function dial(identity: Identity, to: { id: string; address: string }, given?: Transport): Promise<Dialed> {
      const transport = given ?? (await world.endpoint()).transport;
      const dialed: Dialed = { connection: undefined as never, opened: false, rooms: 0, closed: [] };
      const events: DialEvents = {
        opened: () => {
          dialed.opened = true;
        },
        delayed: () => undefined,
        roomMade: () => {
          dialed.rooms += 1;
        },
        closed: (reason, refused) => void dialed.closed.push({ reason, refused }),
      };
      const connection = transport.dial(identity, to, events, settings);
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
      for (const id of [1, 2, 3]) await world.until(() => a.connection.send(large(id)));
      await world.until(() => b.listener.messages.length === 3);
      // Compared by Buffer: a matcher that looks at each of millions of bytes takes seconds.
      const arrived = b.listener.messages.map(({ message }) => commandOf(message));
      for (const [at, bytes] of arrived.entries()) expect(bytes.equals(commandOf(large(at + 1)))).toBe(true);
    });

    test('nothing overtakes: a small message arrives behind the large one that was sent before it', async () => {
      const { a, b } = await connected();
      a.connection.send(large(1, 16 * 1024 * 1024));
      a.connection.send(vote(1));
      a.connection.send({ kind: 'propose-reply', requestId: 2, outcome: { kind: 'unknown' } });
      a.connection.send(vote(2));
      await world.until(() => b.listener.messages.length === 4);
      const kinds = b.listener.messages.map(({ message }) => message.kind);
      expect(kinds).toEqual(['propose-request', 'vote-reply', 'propose-reply', 'vote-reply']);
      expect(b.listener.heardFrom).toContain('a');
    });

    /** Sends appends until one is refused; how many were taken. */
    function fill({ connection }: Dialed, bytes = 128 * 1024): number {
      for (let index = 1; index <= 4_096; index += 1) if (!connection.send(append(index, bytes))) return index - 1;
      throw new Error('512 MiB were taken, and nobody reads');
    }

    test('what nobody reads is bounded: appends and requests are refused, and there is room again later', async () => {
      const { a, b } = await connected();
      world.cutTo(b.address);
      const taken = fill(a);
      expect(a.connection.send(append(taken + 1, 1))).toBe(false);
      expect(a.connection.send(large(1, 1))).toBe(false);
      expect(a.connection.send({ kind: 'read-request', requestId: 2 })).toBe(false);
      expect(a.rooms).toBe(0);
      world.heal();
      await world.until(() => a.rooms > 0);
      expect(a.connection.send(append(taken + 1, 1))).toBe(true);
      await world.until(() => b.listener.messages.length === taken + 1);
      const indexes = b.listener.messages.map(({ message }) => (message as Append).entries[0]?.index);
      expect(indexes).toEqual(Array.from({ length: taken + 1 }, (_, at) => at + 1));
      expect(a.rooms).toBe(1);
      expect(a.closed).toEqual([]);
    });

    test('heartbeats, vote requests and acceptances that have not left are replaced by newer ones, in their place', async () => {
      const { a, b } = await connected();
      world.cutTo(b.address);
      const taken = fill(a);
      const last = { index: asIndex(1), term: asTerm(1) };
      for (let round = 1; round <= 10_000; round += 1) {
        expect(a.connection.send(append(taken, null, round))).toBe(true);
        expect(a.connection.send(accepted(round))).toBe(true);
        const term = asTerm(round);
        expect(a.connection.send({ kind: 'vote-request', term, last, preVote: false, transfer: false })).toBe(true);
      }
      world.heal();
      const isLast = ({ message }: { message: PeerMessage }): boolean =>
        message.kind === 'vote-request' && message.term === 10_000;
      await world.until(() => b.listener.messages.some(isLast));
      const small = b.listener.messages.slice(taken).map(({ message }) => message);
      expect(small.length).toBeLessThan(20_010);
      const beats = small.filter((message): message is Append => message.kind === 'append');
      expect(beats).toEqual([append(taken, null, 10_000)]);
      expect(small.filter(({ kind }) => kind === 'vote-request')).toHaveLength(1);
    });

    test('acceptances that wait are merged: the newest place and round of all', async () => {
      const { a, b } = await connected();
      world.cutTo(b.address);
      const taken = fill(a);
      for (let match = 1; match <= 10_000; match += 1) a.connection.send(accepted(match));
      a.connection.send({ ...accepted(7), readRound: asReadRound(10_001) } as PeerMessage);
      world.heal();
      await world.until(() => b.listener.messages.length > taken);
      expect(b.listener.messages.slice(taken).map(({ message }) => message)).toEqual([
        { ...accepted(10_000), readRound: 10_001 },
      ]);
    });

    test('a connection that is given far too much that nobody reads is ended', async () => {
      const { a, b } = await connected();
      world.cutTo(b.address);
      const result = new Uint8Array(8 * 1024 * 1024);
      const outcome = { kind: 'results', results: [result] } as const;
      for (let requestId = 1; requestId <= 30 && a.closed.length === 0; requestId += 1)
        a.connection.send({ kind: 'propose-reply', requestId, outcome });
      await world.until(() => a.closed.length > 0);
      expect(a.closed).toEqual([{ reason: 'it takes nothing of what is sent to it', refused: false }]);
    });

    test('an idle connection stays open, because both ends keep its pulse', async () => {
      withPulse();
      const { a, b } = await connected();
      await world.pass(400);
      expect(a.closed).toEqual([]);
      expect(a.connection.send(vote(1))).toBe(true);
      await world.until(() => b.listener.messages.length === 1);
    });

    test.each<[string, (address: string) => void, RegExp]>([
      // Who hears nothing is the peer: that it has hung up still comes back.
      ['to the peer', (address) => world.cutTo(address), /the connection was closed/],
      ['back from it', (address) => world.cutFrom(address), /nothing was heard of it for 60 ms/],
      [
        'either way',
        (address) => {
          world.cutTo(address);
          world.cutFrom(address);
        },
        /nothing was heard of it for 60 ms/,
      ],
    ])(
      'P49 a connection on which nothing passes %s is ended, and one dialed after the heal works',
      async (_way, cut, reason) => {
        withPulse();
        const { a, b } = await connected();
        cut(b.address);
        await world.until(() => a.closed.length > 0);
        expect(a.closed).toEqual([{ reason: expect.stringMatching(reason), refused: false }]);
        const inVain = await dial(identityOf('a'), { id: 'b', address: b.address });
        await world.until(() => inVain.closed.length > 0);
        expect(inVain.closed).toEqual([{ reason: 'no answer in time', refused: false }]);
        world.heal();
        const again = await dial(identityOf('a'), { id: 'b', address: b.address });
        await world.until(() => again.opened);
        again.connection.send(vote(5));
        await world.until(() =>
          b.listener.messages.some(({ message }) => message.kind === 'vote-reply' && message.term === 5),
        );
      },
    );

    test('P50 a connection that delivers, however slowly, stays open: parts of a message are a pulse as well', async () => {
      withPulse();
      const { a, b } = await connected();
      world.slow(b.address, 1024 * 1024);
      a.connection.send(large(1, 512 * 1024));
      await world.until(() => b.listener.messages.length === 1);
      expect(a.closed).toEqual([]);
      expect(b.listener.heardFrom.length).toBeGreaterThan(3);
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
      b.transport.accept(identityOf('b'), listener, settings);
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
