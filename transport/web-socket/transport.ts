import type { Server } from 'node:http';
import type { SystemLookup } from '../../src/dns/host-names.js';
import { HostNames } from '../../src/dns/host-names.js';
import { systemLookup } from '../../src/dns/system-lookup.js';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownAddresses } from '../../src/seams/known-addresses.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { SnapshotServing, SnapshotSource } from '../../src/seams/snapshot-source.js';
import type {
  Connection,
  DialEvents,
  Identity,
  Inbound,
  LinkSettings,
  PeerAddress,
  Transport,
} from '../../src/seams/transport.js';
import { EntryEncoder } from '../../src/wire/records.js';
import { fetchError } from '../fetch-error.js';
import { PeersKnownInMemory } from '../hello.js';
import { Pulse } from '../pulse.js';
import { Entrance } from './entrance.js';
import type { GreetingOptions } from './greeting.js';
import { Reception } from './inbound.js';
import { Dialed } from './outbound.js';
import { SnapshotFetching } from './snapshot-fetching.js';
import { SnapshotSender } from './snapshot-sending.js';

export { PEER_PROTOCOL } from '../fragments.js';

export interface WebSocketTransportOptions {
  /** Peers' connections come in as upgrades of its requests for `/peer`; other paths are left to others. */
  readonly server: Server;
  readonly clock: Clock;
  /** Within this whoever connects must have said who it is. Default 2,000. */
  readonly helloDeadlineMs?: number;
  /** The nodes' addresses, host:port each: beside localhost and numbers, what Host may name. Default none. */
  readonly addresses?: readonly string[];
  /** Size of one message at the most, all its parts together. Default 64 MiB. */
  readonly maxMessageBytes?: number;
  /** Whom this node has met before. Default: nobody, and it forgets with this object whom it meets. */
  readonly knownPeers?: KnownPeers;
  /** Where peers were reached before, should their names lead nowhere now. Default: nothing is known, and nothing kept. */
  readonly knownAddresses?: KnownAddresses | undefined;
  /** The node's own, which its log shares. Default: one for this transport alone. */
  readonly entryEncoder?: EntryEncoder;
  /** How names become addresses. Default: as the operating system says. */
  readonly lookup?: SystemLookup;
}

const HELLO_DEADLINE_MS = 2_000;
const MOST_MESSAGE_BYTES = 64 * 1024 * 1024;
/** Beats of a connection that carries a file are slower: it is resumed where it broke, so that finding an end is not urgent. */
const HEARTBEATS_IN_A_FETCH_BEAT = 5;

/**
 * Links between nodes, over `ws`: binary frames, no compression, and a bound on everything that comes in, that waits to
 * leave, and on how long a connection may be silent.
 */
export class WebSocketTransport implements Transport {
  readonly #options: Required<Omit<WebSocketTransportOptions, 'knownAddresses'>>;
  readonly #entrance: Entrance;
  readonly #names: HostNames;
  readonly #unanswered = new Map<NodeId, number>();
  #pulses: { readonly settings: LinkSettings; readonly links: Pulse; readonly fetches: Pulse } | undefined;

  constructor(options: WebSocketTransportOptions) {
    const defaults = { helloDeadlineMs: HELLO_DEADLINE_MS, maxMessageBytes: MOST_MESSAGE_BYTES, addresses: [] };
    const knownPeers = new PeersKnownInMemory();
    this.#options = { ...defaults, knownPeers, lookup: systemLookup, entryEncoder: new EntryEncoder(), ...options };
    this.#entrance = new Entrance(this.#options);
    const { clock, knownAddresses: known } = options;
    this.#names = new HostNames({ lookup: this.#options.lookup, clock, known });
  }

  accept(identity: Identity, inbound: Inbound, settings: LinkSettings): () => void {
    const pulse = this.#pulsesFor(settings).links;
    const reception = new Reception({ ...this.#options, entrance: this.#entrance, pulse }, identity, inbound);
    return reception.open();
  }

  dial(identity: Identity, peer: PeerAddress, events: DialEvents, settings: LinkSettings): Connection {
    const { entryEncoder } = this.#options;
    const pulse = this.#pulsesFor(settings).links;
    return new Dialed({ ...this.#greeting(settings), entryEncoder, pulse }, identity, peer, events);
  }

  serveSnapshots(identity: Identity, serving: SnapshotServing, settings: LinkSettings): () => void {
    const pulse = this.#pulsesFor(settings).fetches;
    return new SnapshotSender({ ...this.#options, entrance: this.#entrance, pulse }, identity, serving).open();
  }

  snapshotSource(identity: Identity, peers: readonly PeerAddress[], settings: LinkSettings): SnapshotSource {
    const options = { ...this.#greeting(settings), pulse: this.#pulsesFor(settings).fetches };
    return {
      fetch: (id, wanted, from, receiver) => {
        const peer = peers.find((one) => one.id === id);
        if (peer !== undefined) return new SnapshotFetching(options, identity, peer, { wanted, from }, receiver);
        let isOver = false;
        options.clock.defer(() => isOver || receiver.ended(fetchError('lost', `${id} is none of the servers`)));
        return {
          cancel: () => {
            isOver = true;
          },
        };
      },
    };
  }

  #greeting(settings: LinkSettings): GreetingOptions {
    const { clock, knownPeers } = this.#options;
    return { clock, knownPeers, settings, names: this.#names, unanswered: this.#unanswered };
  }

  /** One of each kind for all connections that keep time by the same settings, as all of one node do. */
  #pulsesFor(settings: LinkSettings): { readonly links: Pulse; readonly fetches: Pulse } {
    if (this.#pulses?.settings === settings) return this.#pulses;
    const { clock } = this.#options;
    const slow = { ...settings, HEARTBEAT_INTERVAL: HEARTBEATS_IN_A_FETCH_BEAT * settings.HEARTBEAT_INTERVAL };
    this.#pulses = { settings, links: new Pulse(clock, settings), fetches: new Pulse(clock, slow) };
    return this.#pulses;
  }
}
