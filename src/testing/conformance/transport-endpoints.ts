import type { Append, AppendReply, Entry, PeerMessage } from '../../raft/messages.js';
import type { NodeId } from '../../raft/numbers-and-ids.js';
import { asIndex, asReadRound, asTerm } from '../../raft/numbers-and-ids.js';
import { DEFAULT_SETTINGS } from '../../raft/settings.js';
import type { Connection, DialEvents, Identity, Inbound, LinkSettings, Transport } from '../../seams/transport.js';
import { ConformanceFailure } from './conformance-case.js';
import type { FetchChange, Serving } from './transport-fetches.js';
import { Fetched, FileInMemory } from './transport-fetches.js';

/** A kind of transport, as its checks need it: endpoints by name, and a way to let things happen. */
export interface TransportWorld {
  /** A transport for a new endpoint, and the address under which others dial it. */
  endpoint(): Promise<{ readonly transport: Transport; readonly address: string }>;
  /** Resolves once the condition holds; rejects if it does not for long. */
  until(holds: () => boolean): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** From now on nothing reaches the endpoint at `address`; connections stay open. */
  cutTo(address: string): void;
  /** From now on nothing comes back from it. */
  cutFrom(address: string): void;
  /** Ends all cuts. What was held up goes on. */
  heal(): void;
  /** Lets connections to the endpoint carry so many bytes in a second. */
  slow(address: string, bytesPerSecond: number): void;
  close(): Promise<void>;
  /** Patterns of this transport's reasons, where their words matter. Default: any sentence. */
  readonly reasons?: Partial<TransportReasons>;
}

/** The reasons for which a connection ends, as patterns. */
export interface TransportReasons {
  /** The other end closed it. */
  readonly closedByPeer: RegExp;
  /** Nothing came from the other end for MAX_MISSED_HEARTBEATS heartbeats. */
  readonly silent: RegExp;
  /** Nobody answered the dial. */
  readonly noAnswer: RegExp;
  /** The other end takes nothing of far too much that was sent. */
  readonly overfull: RegExp;
  readonly otherCluster: RegExp;
  readonly sameId: RegExp;
  readonly itself: RegExp;
  readonly otherDirectory: RegExp;
  readonly otherPeer: RegExp;
}

const ANY = /\S/;

const ANY_REASONS: TransportReasons = {
  closedByPeer: ANY,
  silent: ANY,
  noAnswer: ANY,
  overfull: ANY,
  otherCluster: ANY,
  sameId: ANY,
  itself: ANY,
  otherDirectory: ANY,
  otherPeer: ANY,
};

/** Notes all that comes in at an endpoint. */
export class Listener implements Inbound {
  readonly messages: { readonly from: NodeId; readonly message: PeerMessage }[] = [];
  readonly arrivedFrom: NodeId[] = [];
  readonly heardFrom: NodeId[] = [];
  readonly refusals: string[] = [];

  arrived(from: NodeId): void {
    this.arrivedFrom.push(from);
  }
  received(from: NodeId, message: PeerMessage): void {
    this.messages.push({ from, message });
  }
  heard(from: NodeId): void {
    this.heardFrom.push(from);
  }
  refused(reason: string): void {
    this.refusals.push(reason);
  }
}

/** A connection and what became of it. */
export interface Dialed {
  readonly connection: Connection;
  opened: boolean;
  rooms: number;
  readonly closed: { readonly reason: string; readonly refused: boolean }[];
}

export interface Accepting {
  readonly transport: Transport;
  readonly address: string;
  readonly listener: Listener;
  readonly stop: () => void;
}

/** The endpoints of one case. */
export class Endpoints {
  readonly world: TransportWorld;
  readonly reasons: TransportReasons;
  /** A pulse so slow that no case meets it, but for those that are about it. */
  settings: LinkSettings = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 1_000_000 };

  readonly #stops: (() => void)[] = [];

  constructor(world: TransportWorld) {
    this.world = world;
    this.reasons = { ...ANY_REASONS, ...world.reasons };
  }

  /** Stops all that serves snapshots. */
  stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** Endpoints made from now on have a pulse that a case can wait for: three missed heartbeats are 60 ms. */
  withPulse(): void {
    this.settings = { ...DEFAULT_SETTINGS, HEARTBEAT_INTERVAL: 20 };
  }

  async accepting(id: NodeId): Promise<Accepting> {
    const { transport, address } = await this.world.endpoint();
    const listener = new Listener();
    const stop = transport.accept(identityOf(id), listener, this.settings);
    return { transport, address, listener, stop };
  }

  async dial(identity: Identity, to: { readonly id: NodeId; readonly address: string }): Promise<Dialed> {
    const { transport } = await this.world.endpoint();
    const state = { opened: false, rooms: 0, closed: [] as { reason: string; refused: boolean }[] };
    const events: DialEvents = {
      opened: () => {
        state.opened = true;
      },
      delayed: () => undefined,
      roomMade: () => {
        state.rooms += 1;
      },
      closed: (reason, refused) => void state.closed.push({ reason, refused }),
    };
    const connection = transport.dial(identity, { id: to.id, address: to.address }, events, this.settings);
    return Object.assign(state, { connection });
  }

  /** b serves a snapshot whose file has so many bytes. */
  async serving(bytes: number): Promise<Serving> {
    const { transport, address } = await this.world.endpoint();
    const store = new FileInMemory(bytes);
    const refused = (reason: string): void => void store.refusals.push(reason);
    const stop = transport.serveSnapshots?.(identityOf('b'), { store, refused }, this.settings);
    if (stop !== undefined) this.#stops.push(stop);
    return { transport, address, store };
  }

  /** a fetches what b serves. */
  async fetch({ address }: Serving, change: FetchChange): Promise<Fetched> {
    const { transport } = await this.world.endpoint();
    const { identity = identityOf('a'), wanted = { index: asIndex(7), term: asTerm(1) }, from = 0 } = change;
    const source = transport.snapshotSource?.(identity, [{ id: 'b', address }], this.settings);
    const fetched = new Fetched(change);
    fetched.fetch = source?.fetch('b', wanted, from, fetched);
    return fetched;
  }

  /** Where b serves a snapshot: it accepts links, too, and a has one to it. */
  async connectedTo({ transport, address }: Serving): Promise<{ readonly a: Dialed; readonly listener: Listener }> {
    const listener = new Listener();
    transport.accept(identityOf('b'), listener, this.settings);
    const a = await this.dial(identityOf('a'), { id: 'b', address });
    await this.world.until(() => a.opened);
    return { a, listener };
  }

  /** a has dialed b, which accepts, and the connection is open. */
  async connected(): Promise<{ readonly a: Dialed; readonly b: Accepting }> {
    const b = await this.accepting('b');
    const a = await this.dial(identityOf('a'), { id: 'b', address: b.address });
    await this.world.until(() => a.opened);
    return { a, b };
  }
}

export const identityOf = (nodeId: NodeId, change: Partial<Identity> = {}): Identity => {
  return { clusterId: 'cluster', nodeId, incarnation: `of ${nodeId}`, ...change };
};

export const vote = (term: number): PeerMessage => {
  return { kind: 'vote-reply', term: asTerm(term), granted: true, preVote: false };
};

/** A request of `bytes` bytes, which are all the request's id. */
export const large = (requestId: number, bytes = 3 * 1024 * 1024): PeerMessage => {
  return { kind: 'propose-request', requestId, remainingMs: 1_000, commands: [new Uint8Array(bytes).fill(requestId)] };
};

/** An append of one entry at `index`, or a heartbeat behind it. */
export function append(index: number, bytes: number | null, readRound = 0): Append {
  const isFirst = index === 1 && bytes !== null;
  return {
    kind: 'append',
    term: asTerm(1),
    previous: { index: asIndex(bytes === null ? index : index - 1), term: asTerm(isFirst ? 0 : 1) },
    entries: bytes === null ? [] : [entryAt(index, bytes)],
    commitIndex: asIndex(0),
    readRound: asReadRound(readRound),
  };
}

function entryAt(index: number, bytes: number): Entry {
  return {
    kind: 'command',
    index: asIndex(index),
    term: asTerm(1),
    timeMs: 0,
    sessionId: 0,
    sequence: 0,
    lowWater: 0,
    payload: new Uint8Array(bytes),
  };
}

export const accepted = (matchIndex: number, readRound = matchIndex): AppendReply => {
  const match = asIndex(matchIndex);
  return {
    kind: 'append-reply',
    term: asTerm(1),
    accepted: true,
    matchIndex: match,
    readRound: asReadRound(readRound),
  };
};

/** Sends appends until one is refused; returns how many were taken. */
export function fill({ connection }: Dialed, bytes = 128 * 1024): number {
  for (let index = 1; index <= 4_096; index += 1) if (!connection.send(append(index, bytes))) return index - 1;
  throw new ConformanceFailure(
    'expected an append to be refused for want of room, and 512 MiB were taken that nobody reads',
  );
}
