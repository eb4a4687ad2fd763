import type { HostNames } from '../../src/dns/host-names.js';
import type { PeerMessage } from '../../src/raft/messages.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type { Connection, DialEvents, Identity, LinkSettings, PeerAddress } from '../../src/seams/transport.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { checkIdentity } from '../hello.js';
import type { Pulse } from '../pulse.js';
import type { Listener, MemoryHost, Wires } from './line.js';
import { Line } from './line.js';

/** The node that takes connections at an address. */
export interface Listening extends Listener {
  readonly knownPeers: KnownPeers;
  readonly pulse: Pulse;
  /** By the dialer's address: a newer connection takes the older one's place. */
  readonly lines: Map<string, Line>;
}

/** The network, as one who dials sees it. */
export interface Wiring extends Wires {
  listenerAt(address: string): Listening | undefined;
  isLookedUp(name: string): boolean;
  added(line: Line): void;
}

export interface Dialing {
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly events: DialEvents;
  readonly settings: LinkSettings;
  readonly knownPeers: KnownPeers;
  readonly host: MemoryHost;
  readonly names: HostNames;
  readonly entryEncoder: EntryEncoder;
  readonly pulse: Pulse;
}

/** The greeting may take this many of the shortest election timeouts, as in the WebSocket transport. */
const GREETING_TIMEOUTS = 3;

/** A connection that a node opened in the memory network, from the lookup of its peer's name on. */
export class MemoryDial implements Connection {
  readonly #wiring: Wiring;
  readonly #from: string;
  readonly #dialing: Dialing;
  #line: Line | undefined;
  #isReached = false;
  #startedMs = 0;
  #deadline: unknown;
  #forgetName: () => void = () => undefined;

  constructor(wiring: Wiring, from: string, dialing: Dialing) {
    this.#wiring = wiring;
    this.#from = from;
    this.#dialing = dialing;
    this.#resolve();
  }

  send(message: PeerMessage): boolean {
    return this.#line?.send(message) ?? false;
  }

  peerArrived(): void {
    const { host, settings } = this.#dialing;
    const isWaiting = this.#line?.state === 'dialing' && !this.#isReached;
    if (!isWaiting || host.now() - this.#startedMs < settings.HEARTBEAT_INTERVAL) return;
    this.close();
    this.#attempt();
  }

  close(): void {
    this.#forgetName();
    this.#dialing.host.clearTimeout(this.#deadline);
    this.#line?.drop();
  }

  #resolve(): void {
    const { names, peer, events } = this.#dialing;
    const name = peer.address.replace(/:\d+$/, '');
    if (!this.#wiring.isLookedUp(name)) return this.#attempt();
    let isOver = false;
    const forget = names.resolve(name, {
      found: () => isOver || this.#attempt(),
      failed: () => undefined,
      delayed: (reason) => events.delayed(reason),
    });
    this.#forgetName = () => {
      isOver = true;
      forget();
    };
  }

  #attempt(): void {
    const { host, identity, events, peer, settings, entryEncoder } = this.#dialing;
    const ends = { from: this.#from, to: peer.address, sender: identity, dialer: host, events, entryEncoder };
    const line = new Line(this.#wiring, ends);
    this.#line = line;
    this.#isReached = false;
    this.#startedMs = host.now();
    this.#wiring.added(line);
    this.#giveUpAfter(line, settings.ELECTION_TIMEOUT_MIN);
    this.#wiring.clock.setTimeout(() => this.#reach(line), this.#wiring.delayMs());
  }

  #giveUpAfter(line: Line, ms: number): void {
    const { host } = this.#dialing;
    host.clearTimeout(this.#deadline);
    const late = (): void => {
      if (line.state === 'dialing') line.close('no answer in time', false);
    };
    this.#deadline = host.setTimeout(() => host.defer(late), ms);
  }

  /** The machine over there answers where the network lets it; its process may be stopped. */
  #reach(line: Line): void {
    const { from, to } = line.ends;
    if (line.state !== 'dialing' || this.#wiring.isCut(from, to) || this.#wiring.isCut(to, from)) return;
    const listening = this.#wiring.listenerAt(to);
    if (listening === undefined) return line.close('connection refused', false);
    this.#isReached = true;
    this.#giveUpAfter(line, GREETING_TIMEOUTS * this.#dialing.settings.ELECTION_TIMEOUT_MIN);
    listening.host.arrive(() => this.#checkIdentity(line, listening));
  }

  #checkIdentity(line: Line, listening: Listening): void {
    const { identity: self, peer, knownPeers, host } = this.#dialing;
    const { identity: other } = listening;
    const goesOn = (): boolean => line.state === 'dialing' && this.#wiring.listenerAt(line.ends.to) === listening;
    if (!goesOn()) return;
    checkIdentity({ self: other, other: self, knownPeers: listening.knownPeers }, (theirs) => {
      if (!goesOn()) return;
      if (theirs !== undefined) {
        listening.inbound.refused(theirs);
        return line.close(theirs, true);
      }
      host.arrive(() => {
        if (!goesOn()) return;
        checkIdentity({ self, other, expected: peer.id, knownPeers }, (ours) => {
          if (!goesOn()) return;
          if (ours !== undefined) return line.close(ours, true);
          this.#open(line, listening);
        });
      });
    });
  }

  #open(line: Line, listening: Listening): void {
    this.#dialing.host.clearTimeout(this.#deadline);
    listening.lines.get(this.#from)?.hangUp('it was replaced by a newer connection');
    listening.lines.set(this.#from, line);
    const { pulse, peer, identity } = this.#dialing;
    line.open(listening, (dialer, receiver) => [
      pulse.watch(peer.id, dialer),
      listening.pulse.watch(identity.nodeId, receiver),
    ]);
  }
}
