import type { Address } from '../../src/dns/host-names.js';
import { HostNames } from '../../src/dns/host-names.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { LinkSettings, Transport } from '../../src/seams/transport.js';
import { EntryEncoder } from '../../src/wire/records.js';
import { PeersKnownInMemory } from '../hello.js';
import { Pulse } from '../pulse.js';
import { ServedFetches } from '../served-fetches.js';
import type { Listening, Wiring } from './dial.js';
import { MemoryDial } from './dial.js';
import type { FetchEnd, FetchOptions, FetchWires, ServingNode } from './fetch.js';
import { MemoryFetch } from './fetch.js';
import type { Fate, Line, MemoryHost } from './line.js';

export type { FetchEnd } from './fetch.js';
export type { MemoryHost } from './line.js';

/** The accidents that may happen to a message that carries a term. Others only wait: a connection neither loses nor repeats. */
export interface Conditions {
  readonly leastDelayMs: number;
  readonly mostDelayMs: number;
  /** Probabilities, for each message. Parts of a large one are never lost: they only wait. */
  readonly loss: number;
  readonly duplication: number;
  /** How often a message takes several times as long as others, and so is overtaken. */
  readonly reordering: number;
  /** Speed of each connection, in its one direction. Default: no limit. */
  readonly bytesPerSecond?: number;
  /**
   * How many bytes a connection holds that its receiver has not read: its wire and the kernels' buffers. What more is sent
   * waits in the sender's queue, and then is refused until there is room. Default 4 MiB.
   */
  readonly bufferBytes?: number;
  /** How long it takes to look up the name of the host at an address (host:port, or a bare name). Default: no time at all. */
  readonly lookupMs?: (host: string) => number;
}

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  /** In [0, 1). Without it nothing happens by chance. */
  readonly random?: () => number;
  readonly conditions?: Partial<Conditions>;
}

const CALM: Conditions = { leastDelayMs: 0, mostDelayMs: 1, loss: 0, duplication: 0, reordering: 0 };
const OVERTAKEN = 5;
const BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A network in memory, between addresses: the WebSocket transport's twin for simulations, tests and embedding. Messages
 * go through the same codec and the same queue, so nothing is shared by reference and room runs out in the same way;
 * everything that happens is timed by the clock. For simulations:
 *
 * - `conditions`: delay, loss, duplication, reordering, `bytesPerSecond`, `bufferBytes`, `lookupMs`. May be changed at any time.
 * - `cut(from, to)`: a half-open link, in one direction. Connections look open, and what is sent waits, until the pulse of the
 *   end that hears nothing closes it; what waits on one that is still open when the cut heals arrives then, late.
 * - `fetchEnds(fetcher, server)`: cuts a fetch of a snapshot after any byte, or has it hang there. Cuts, delay and speed are those of links.
 * - `transport(address, knownPeers, host)`: `host` is the process there. While it is stopped nothing of its runs, and nothing
 *   that arrives is read: its peers' buffers fill up, and their pulses find it silent.
 */
export class MemoryNetwork {
  conditions: Conditions;
  /** Says of single messages, addressed by node addresses, that they never arrive: for telling a story step by step. */
  drops: (from: string, to: string, message: PeerMessage) => boolean = () => false;
  /** Asked when a node begins to fetch a snapshot: where its connection breaks or hangs. Default: nowhere. */
  fetchEnds: (fetcher: string, server: string) => FetchEnd | undefined = () => undefined;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #listeners = new Map<string, Listening>();
  readonly #lines = new Set<Line>();
  readonly #servings = new Map<string, ServingNode>();
  readonly #fetches = new Set<MemoryFetch>();
  readonly #cuts = new Set<string>();
  readonly #wiring: Wiring;
  readonly #fetchWires: FetchWires;

  constructor({ clock, random = () => 0.5, conditions = {} }: MemoryNetworkOptions) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = { ...CALM, ...conditions };
    this.#wiring = this.#makeWiring();
    this.#fetchWires = {
      ...this.#wiring,
      servingAt: (address) => this.#servings.get(address),
      endOf: (fetcher, server) => this.fetchEnds(fetcher, server),
      removed: (fetch) => void this.#fetches.delete(fetch),
    };
  }

  /** Whether a message that was put on a slow wire has yet to arrive in full. */
  get isCarrying(): boolean {
    return [...this.#lines].some((line) => line.isCarrying);
  }

  /** The way into the network for the node at `address`; without `knownPeers` it forgets with this object whom it has met. */
  transport(
    address: string,
    knownPeers: KnownPeers = new PeersKnownInMemory(),
    host: MemoryHost = alwaysReading(this.#clock),
    entryEncoder = new EntryEncoder(),
  ): Transport {
    const names = new HostNames({ clock: host, lookup: (name, done) => this.#lookUp(host, name, done) });
    let pulse: Pulse | undefined;
    const pulseFor = (settings: LinkSettings): Pulse => {
      pulse ??= new Pulse(host, settings);
      return pulse;
    };
    return {
      accept: (identity, inbound, settings) =>
        this.#accept(address, {
          ...{ identity, inbound, knownPeers, host, entryEncoder },
          pulse: pulseFor(settings),
          lines: new Map(),
        }),
      dial: (identity, peer, events, settings) => {
        const own = { knownPeers, host, names, entryEncoder };
        const dialing = { identity, peer, events, settings, pulse: pulseFor(settings), ...own };
        return new MemoryDial(this.#wiring, address, dialing);
      },
      serveSnapshots: (identity, serving) => {
        return this.#serve(address, { identity, knownPeers, host, serving, fetches: new ServedFetches(host, serving) });
      },
      snapshotSource: (identity, peers, settings) => ({
        fetch: (id, wanted, from, receiver) => {
          const peer = peers.find((one) => one.id === id) ?? { id, address: '' };
          const request = { wanted, from };
          return this.#fetch({ from: address, identity, peer, request, receiver, settings, knownPeers, host });
        },
      }),
    };
  }

  /** Nothing passes from `from` to `to` any more; connections stay open, as with a pulled cable. */
  cut(from: string, to: string): void {
    this.#cuts.add(pair(from, to));
  }

  /** Only within each group does anything pass. */
  partition(groups: readonly (readonly string[])[]): void {
    this.#cuts.clear();
    for (const group of groups) {
      for (const other of groups.filter((candidate) => candidate !== group)) {
        for (const from of group) for (const to of other) this.cut(from, to);
      }
    }
    this.#resume();
  }

  heal(): void {
    this.#cuts.clear();
    this.#resume();
  }

  /** The process at `address` is gone: so are its connections, and what was on its way to it. */
  crash(address: string): void {
    this.#listeners.delete(address);
    this.#servings.delete(address);
    for (const fetch of [...this.#fetches]) {
      if (fetch.options.from === address) fetch.drop();
      else if (fetch.options.peer.address === address) fetch.hangUp();
    }
    for (const line of [...this.#lines]) {
      if (line.ends.from === address) line.drop();
      else if (line.ends.to === address) line.hangUp('the peer is gone');
    }
  }

  #accept(address: string, listening: Listening): () => void {
    this.#listeners.set(address, listening);
    return () => {
      this.#listeners.delete(address);
      for (const line of [...this.#lines]) if (line.ends.to === address) line.hangUp('the peer stopped');
    };
  }

  #serve(address: string, node: ServingNode): () => void {
    this.#servings.set(address, node);
    return () => {
      if (this.#servings.get(address) === node) this.#servings.delete(address);
      node.fetches.stop();
    };
  }

  #fetch(options: FetchOptions): MemoryFetch {
    const fetch = new MemoryFetch(this.#fetchWires, options);
    this.#fetches.add(fetch);
    return fetch;
  }

  #resume(): void {
    for (const fetch of [...this.#fetches]) fetch.resume();
    for (const line of [...this.#lines]) line.resume();
  }

  /** The lookup itself is a thread's: it goes on while the process is stopped. */
  #lookUp(host: MemoryHost, name: string, done: (error: null, addresses: readonly Address[]) => void): void {
    const answer = (): void => host.arrive(() => done(null, [{ address: name, family: 4 }]));
    this.#clock.setTimeout(answer, this.conditions.lookupMs?.(name) ?? 0);
  }

  #makeWiring(): Wiring {
    return {
      clock: this.#clock,
      listenerAt: (address) => this.#listeners.get(address),
      isLookedUp: (name) => (this.conditions.lookupMs?.(name) ?? 0) > 0,
      isCut: (from, to) => this.#cuts.has(pair(from, to)),
      drops: (from, to, message) => this.drops(from, to, message),
      bytesPerSecond: () => this.conditions.bytesPerSecond ?? Number.POSITIVE_INFINITY,
      bufferBytes: () => this.conditions.bufferBytes ?? BUFFER_BYTES,
      delayMs: () => this.#delayMs(),
      fates: () => this.#fates(),
      added: (line) => void this.#lines.add(line),
      removed: (line) => void this.#lines.delete(line),
    };
  }

  #fates(): readonly Fate[] {
    const { loss, duplication, reordering } = this.conditions;
    if (this.#chance(loss)) return [];
    const isSlow = this.#chance(reordering);
    const fate = { delayMs: this.#delayMs() * (isSlow ? OVERTAKEN : 1), inOrder: !isSlow };
    if (!this.#chance(duplication)) return [fate];
    return [fate, { delayMs: this.#delayMs() * OVERTAKEN, inOrder: false }];
  }

  #delayMs(): number {
    const { leastDelayMs, mostDelayMs } = this.conditions;
    return leastDelayMs + this.#random() * (mostDelayMs - leastDelayMs);
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}

/** A process that is never stopped. */
function alwaysReading(clock: Clock): MemoryHost {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs),
    clearTimeout: (handle) => clock.clearTimeout(handle),
    defer: (callback) => clock.defer(callback),
    arrive: (callback) => callback(),
  };
}

const pair = (from: string, to: string): string => `${from}>${to}`;
