import type { Append, PeerMessage } from '../../raft/messages.js';
import { asIndex, asTerm } from '../../raft/numbers-and-ids.js';
import type { Identity } from '../../seams/transport.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { casesOf } from './conformance-case.js';
import { areEqual, mustBe, mustHold, mustMatch } from './expectations.js';
import type { TransportReasons, TransportWorld } from './transport-endpoints.js';
import { accepted, append, Endpoints, fill, identityOf, Listener, large, vote } from './transport-endpoints.js';
import { mustHaveEnded, pulse } from './transport-pulse.js';
import { snapshots } from './transport-snapshots.js';

export type { TransportReasons, TransportWorld } from './transport-endpoints.js';

/** What every `Transport` must do. `create` makes a world without endpoints for each case. */
export function transportConformance(create: () => Promise<TransportWorld>): readonly ConformanceCase[] {
  return inWorlds(create, { ...delivering, ...bounds, ...pulse, ...connecting, ...refusing });
}

/** What a `Transport` with `serveSnapshots` and `snapshotSource` must do, beside what all must. */
export function snapshotTransportConformance(create: () => Promise<TransportWorld>): readonly ConformanceCase[] {
  return inWorlds(create, snapshots);
}

function inWorlds(create: () => Promise<TransportWorld>, checks: Checks<Endpoints>): readonly ConformanceCase[] {
  return casesOf(checks, async (check) => {
    const world = await create();
    const endpoints = new Endpoints(world);
    try {
      await check(endpoints);
    } finally {
      endpoints.stop();
      await world.close();
    }
  });
}

const delivering: Checks<Endpoints> = {
  'what is sent arrives, in order, with the name of its sender': async (given) => {
    const { a, b } = await given.connected();
    const messages = Array.from({ length: 50 }, (_, at) => vote(at + 1));
    for (const message of messages) mustHold('a small message is taken', a.connection.send(message));
    await given.world.until(() => b.listener.messages.length === 50);
    mustBe('who has arrived', b.listener.arrivedFrom, ['a']);
    const expected = messages.map((message) => ({ from: 'a', message }));
    mustBe('what has arrived', b.listener.messages, expected);
  },

  'before it is open, and after it was closed, nothing is taken': async (given) => {
    const b = await given.accepting('b');
    const a = await given.dial(identityOf('a'), { id: 'b', address: b.address });
    mustBe('send before it is open', a.connection.send(vote(1)), false);
    await given.world.until(() => a.opened);
    a.connection.close();
    mustBe('send after it was closed', a.connection.send(vote(2)), false);
    mustBe('what is told of a connection that was closed here', a.closed, []);
  },

  'large messages arrive whole and in order': async (given) => {
    const { a, b } = await given.connected();
    for (const id of [1, 2, 3]) await given.world.until(() => a.connection.send(large(id)));
    await given.world.until(() => b.listener.messages.length === 3);
    const arrived = b.listener.messages.map(({ message }) => message);
    mustHold('three messages of 3 MiB arrive as they were sent', areEqual(arrived, [large(1), large(2), large(3)]));
  },

  'nothing overtakes: a small message arrives behind the large one that was sent before it': async (given) => {
    const { a, b } = await given.connected();
    a.connection.send(large(1, 16 * 1024 * 1024));
    a.connection.send(vote(1));
    a.connection.send({ kind: 'propose-reply', requestId: 2, outcome: { kind: 'unknown' } });
    a.connection.send(vote(2));
    await given.world.until(() => b.listener.messages.length === 4);
    const kinds = b.listener.messages.map(({ message }) => message.kind);
    mustBe('what has arrived', kinds, ['propose-request', 'vote-reply', 'propose-reply', 'vote-reply']);
    mustHold('parts of a large message are told by heard()', b.listener.heardFrom.includes('a'));
  },
};

const bounds: Checks<Endpoints> = {
  'what nobody reads is bounded: appends and requests are refused, and there is room again later': async (given) => {
    const { a, b } = await given.connected();
    given.world.cutTo(b.address);
    const taken = fill(a);
    mustBe('send of a small append after a refusal', a.connection.send(append(taken + 1, 1)), false);
    mustBe('send of a small request after a refusal', a.connection.send(large(1, 1)), false);
    mustBe('send of a read after a refusal', a.connection.send({ kind: 'read-request', requestId: 2 }), false);
    mustBe('how often room was made before anything left', a.rooms, 0);
    given.world.heal();
    await given.world.until(() => a.rooms > 0);
    mustBe('send of an append once there is room', a.connection.send(append(taken + 1, 1)), true);
    await given.world.until(() => b.listener.messages.length === taken + 1);
    const indexes = b.listener.messages.map(({ message }) => (message as Append).entries[0]?.index);
    const expected = Array.from({ length: taken + 1 }, (_, at) => at + 1);
    mustBe('the entries that have arrived', indexes, expected);
    mustBe('how often room was made', a.rooms, 1);
    mustBe('what is told of the connection', a.closed, []);
  },

  'heartbeats, vote requests and acceptances that have not left are replaced by newer ones, in their place': async (
    given,
  ) => {
    const { a, b } = await given.connected();
    given.world.cutTo(b.address);
    const taken = fill(a);
    for (let round = 1; round <= 10_000; round += 1) {
      const small = [append(taken, null, round), accepted(round), voteRequest(round)];
      for (const message of small) mustHold(`a ${message.kind} is always taken`, a.connection.send(message));
    }
    given.world.heal();
    const isLast = ({ message }: { readonly message: PeerMessage }): boolean =>
      message.kind === 'vote-request' && message.term === 10_000;
    await given.world.until(() => b.listener.messages.some(isLast));
    const small = b.listener.messages.slice(taken).map(({ message }) => message);
    mustHold('of 30,000 small messages that nobody read, fewer than 20,010 arrive', small.length < 20_010);
    const beats = small.filter(({ kind }) => kind === 'append');
    mustBe('the heartbeats that arrive', beats, [append(taken, null, 10_000)]);
    const requests = small.filter(({ kind }) => kind === 'vote-request');
    mustBe('how many vote requests arrive', requests.length, 1);
  },

  'acceptances that wait are merged: the newest place and round of all': async (given) => {
    const { a, b } = await given.connected();
    given.world.cutTo(b.address);
    const taken = fill(a);
    for (let match = 1; match <= 10_000; match += 1) a.connection.send(accepted(match));
    a.connection.send(accepted(7, 10_001));
    given.world.heal();
    await given.world.until(() => b.listener.messages.length > taken);
    const small = b.listener.messages.slice(taken).map(({ message }) => message);
    mustBe('the acceptances that arrive', small, [accepted(10_000, 10_001)]);
  },

  'a connection that is given far too much that nobody reads is ended': async (given) => {
    const { a, b } = await given.connected();
    given.world.cutTo(b.address);
    const outcome = { kind: 'results', results: [new Uint8Array(8 * 1024 * 1024)] } as const;
    for (let requestId = 1; requestId <= 30 && a.closed.length === 0; requestId += 1)
      a.connection.send({ kind: 'propose-reply', requestId, outcome });
    await given.world.until(() => a.closed.length > 0);
    mustHaveEnded(a, given.reasons.overfull, false);
  },
};

const connecting: Checks<Endpoints> = {
  'nobody there: closed, not refused, and once': async (given) => {
    const gone = await given.accepting('b');
    gone.stop();
    const { address } = await given.world.endpoint();
    const a = await given.dial(identityOf('a'), { id: 'b', address });
    await given.world.until(() => a.closed.length > 0);
    mustBe('how often the end is told', a.closed.length, 1);
    mustBe('refused', a.closed[0]?.refused, false);
    mustBe('opened', a.opened, false);
  },

  'who stops accepting closes what it has, and can be dialed again when it is back': async (given) => {
    const { a, b } = await given.connected();
    b.stop();
    await given.world.until(() => a.closed.length > 0);
    const listener = new Listener();
    b.transport.accept(identityOf('b'), listener, given.settings);
    const again = await given.dial(identityOf('a'), { id: 'b', address: b.address });
    await given.world.until(() => again.opened);
    again.connection.send(vote(9));
    await given.world.until(() => listener.messages.length === 1);
  },
};

const refusing: Checks<Endpoints> = {
  'another cluster is refused, with the reason on both sides': (given) =>
    mustRefuse(given, identityOf('a', { clusterId: 'other' }), 'otherCluster'),
  'our own id, from another directory, is refused, with the reason on both sides': (given) =>
    mustRefuse(given, identityOf('b', { incarnation: 'x' }), 'sameId'),
  'ourselves is refused, with the reason on both sides': (given) => mustRefuse(given, identityOf('b'), 'itself'),

  'an id that was met with another data directory is refused': async (given) => {
    const { b } = await given.connected();
    const wiped = await given.dial(identityOf('a', { incarnation: 'wiped' }), { id: 'b', address: b.address });
    await given.world.until(() => wiped.closed.length > 0 && b.listener.refusals.length > 0);
    mustHaveEnded(wiped, given.reasons.otherDirectory, true);
    mustMatch('the reason of the one that refuses', b.listener.refusals[0], given.reasons.otherDirectory);
  },

  'whoever answers in place of the expected peer is left again': async (given) => {
    const b = await given.accepting('b');
    const a = await given.dial(identityOf('a'), { id: 'c', address: b.address });
    await given.world.until(() => a.closed.length > 0);
    mustHaveEnded(a, given.reasons.otherPeer, true);
  },
};

async function mustRefuse(given: Endpoints, identity: Identity, reason: keyof TransportReasons): Promise<void> {
  const b = await given.accepting('b');
  const a = await given.dial(identity, { id: 'b', address: b.address });
  await given.world.until(() => a.closed.length > 0 && b.listener.refusals.length > 0);
  mustHaveEnded(a, given.reasons[reason], true);
  mustMatch('the reason of the one that refuses', b.listener.refusals[0], given.reasons[reason]);
  mustBe('opened', a.opened, false);
}

function voteRequest(round: number): PeerMessage {
  const last = { index: asIndex(1), term: asTerm(1) };
  return {
    kind: 'vote-request',
    term: asTerm(round),
    presentTerm: asTerm(round),
    last,
    preVote: false,
    transfer: false,
  };
}
