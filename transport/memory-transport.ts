import { decodeMessage, encodeMessage } from '../src/codec/frames.js';
import { MalformedBytes } from '../src/codec/malformed.js';
import type { NodeId } from '../src/raft/kinds.js';
import type { PeerMessage } from '../src/raft/messages.js';
import { hasTerm } from '../src/raft/messages.js';
import type { Clock } from '../src/seams/clock.js';
import type { KnownPeers } from '../src/seams/known-peers.js';
import type { Connection, DialEvents, Identity, Inbound, PeerAddress, Transport } from '../src/seams/transport.js';
import { introduce, PeersKnownInMemory } from './introduction.js';

/** What may happen to a message that carries a term. Others only wait: a connection neither loses nor repeats. */
export interface Conditions {
  readonly leastDelayMs: number;
  readonly mostDelayMs: number;
  /** Probabilities, for each message. */
  readonly loss: number;
  readonly duplication: number;
  /** How often a message takes several times as long as others, and so is overtaken. */
  readonly reordering: number;
}

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** In [0, 1). Without it nothing happens by chance. */
  readonly random?: () => number;
  readonly conditions?: Partial<Conditions>;
}

interface Listener {
  readonly identity: Identity;
  readonly inbound: Inbound;
  readonly knownPeers: KnownPeers;
}

interface Dialer {
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly events: DialEvents;
  readonly knownPeers: KnownPeers;
}

interface Line {
  readonly from: string;
  readonly to: string;
  state: 'dialing' | 'open' | 'closed';
  readonly events: DialEvents;
  /** Nothing on this line arrives before. */
  notBeforeMs: number;
}

const CALM: Conditions = { leastDelayMs: 0, mostDelayMs: 1, loss: 0, duplication: 0, reordering: 0 };
const DIAL_TIMEOUT_MS = 500;
const OVERTAKEN = 5;

/**
 * A network in memory, between addresses: the WebSocket transport's twin for simulations, tests and embedding. Messages
 * go through the same codec, so nothing is shared by reference; everything that happens is timed by the clock.
 */
export class MemoryNetwork {
  conditions: Conditions;
  /** Says of single messages, addressed by node addresses, that they never arrive: for telling a story step by step. */
  drops: (from: string, to: string, message: PeerMessage) => boolean = () => false;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listeners = new Map<string, Listener>();
  readonly #lines = new Set<Line>();
  readonly #cuts = new Set<string>();

  constructor({ clock, random = () => 0.5, conditions = {} }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = { ...CALM, ...conditions };
  }

  /** The way into the network for the node at `address`; without `knownPeers` it forgets with this object whom it has met. */
  transport(address: string, knownPeers: KnownPeers = new PeersKnownInMemory()): Transport {
    return {
      accept: (identity, inbound) => this.#accept(address, { identity, inbound, knownPeers }),
      dial: (identity, peer, events) => this.#dial(address, { identity, peer, events, knownPeers }),
    };
  }

  /** Nothing passes from `from` to `to` any more; connections stay open, as with a pulled cable. */
  cut(from: string, to: string): void {
    this.#cuts.add(pair(from, to));
  }

  /** Only within each group does anything pass. */
  partition(groups: readonly (readonly string[])[]): void {
    this.heal();
    for (const group of groups) {
      for (const other of groups.filter((candidate) => candidate !== group)) {
        for (const from of group) for (const to of other) this.cut(from, to);
      }
    }
  }

  heal(): void {
    this.#cuts.clear();
  }

  /** The process at `address` is gone: so are its connections, and what was on its way to it. */
  crash(address: string): void {
    this.#listeners.delete(address);
    for (const line of [...this.#lines]) {
      if (line.from === address) this.#drop(line);
      else if (line.to === address) this.#close(line, 'the peer is gone', false);
    }
  }

  #accept(address: string, listener: Listener): () => void {
    this.#listeners.set(address, listener);
    return () => {
      this.#listeners.delete(address);
      for (const line of [...this.#lines]) if (line.to === address) this.#close(line, 'the peer stopped', false);
    };
  }

  #dial(from: string, dialer: Dialer): Connection {
    const { peer, events } = dialer;
    const line: Line = { from, to: peer.address, state: 'dialing', events, notBeforeMs: 0 };
    this.#lines.add(line);
    this.#clock.setTimeout(() => this.#introduce(line, dialer), this.#delay());
    return {
      send: (message) => this.#send(line, dialer.identity.nodeId, message),
      close: () => this.#drop(line),
    };
  }

  #introduce(line: Line, dialer: Dialer): void {
    if (line.state !== 'dialing') return;
    const listener = this.#listeners.get(line.to);
    if (this.#isCut(line.from, line.to) || this.#isCut(line.to, line.from)) {
      this.#clock.setTimeout(() => this.#close(line, 'no answer in time', false), DIAL_TIMEOUT_MS);
      return;
    }
    if (listener === undefined) return this.#close(line, 'connection refused', false);
    const [self, other] = [dialer.identity, listener.identity];
    const goesOn = (): boolean => line.state === 'dialing' && this.#listeners.get(line.to) === listener;
    introduce({ self: other, other: self, knownPeers: listener.knownPeers }, (theirs) => {
      if (!goesOn()) return;
      if (theirs !== undefined) {
        listener.inbound.refused(theirs);
        return this.#close(line, theirs, true);
      }
      introduce({ self, other, expected: dialer.peer.id, knownPeers: dialer.knownPeers }, (ours) => {
        if (!goesOn()) return;
        if (ours !== undefined) return this.#close(line, ours, true);
        line.state = 'open';
        line.events.opened();
        listener.inbound.arrived(self.nodeId);
      });
    });
  }

  #send(line: Line, from: NodeId, message: PeerMessage): boolean {
    if (line.state !== 'open') return false;
    if (this.#isCut(line.from, line.to) || this.drops(line.from, line.to, message)) return true;
    const bytes = encodeMessage(message);
    if (!hasTerm(message)) {
      this.#carry(line, from, bytes, this.#delay(), true);
      return true;
    }
    const { loss, duplication, reordering } = this.conditions;
    if (this.#chance(loss)) return true;
    const isSlow = this.#chance(reordering);
    this.#carry(line, from, bytes, this.#delay() * (isSlow ? OVERTAKEN : 1), !isSlow);
    if (this.#chance(duplication)) this.#carry(line, from, bytes, this.#delay() * OVERTAKEN, false);
    return true;
  }

  #carry(line: Line, from: NodeId, bytes: Uint8Array, delayMs: number, inOrder: boolean): void {
    const arrivalMs = Math.max(this.#clock.now() + delayMs, inOrder ? line.notBeforeMs : 0);
    if (inOrder) line.notBeforeMs = arrivalMs;
    const listener = this.#listeners.get(line.to);
    this.#clock.setTimeout(() => {
      // A restarted node does not get what was meant for the one before it.
      if (this.#isCut(line.from, line.to) || this.#listeners.get(line.to) !== listener) return;
      this.#deliver(line, from, listener, bytes);
    }, arrivalMs - this.#clock.now());
  }

  #deliver(line: Line, from: NodeId, listener: Listener | undefined, bytes: Uint8Array): void {
    let message: PeerMessage;
    try {
      message = decodeMessage(bytes);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      listener?.inbound.refused(`${from} sent a malformed frame: ${error.message}`);
      return this.#close(line, `malformed frame: ${error.message}`, false);
    }
    listener?.inbound.received(from, message);
  }

  #close(line: Line, reason: string, refused: boolean): void {
    if (line.state === 'closed') return;
    this.#drop(line);
    this.#clock.defer(() => line.events.closed(reason, refused));
  }

  #drop(line: Line): void {
    line.state = 'closed';
    this.#lines.delete(line);
  }

  #isCut(from: string, to: string): boolean {
    return this.#cuts.has(pair(from, to));
  }

  #delay(): number {
    const { leastDelayMs, mostDelayMs } = this.conditions;
    return leastDelayMs + this.#random() * (mostDelayMs - leastDelayMs);
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}

const pair = (from: string, to: string): string => `${from}>${to}`;
