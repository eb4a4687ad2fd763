import type { Actor } from 'xstate';
import { createActor } from 'xstate';
import type { ReplicaEvent, ReplicaInput } from '../../machines/index.js';
import { replicaMachine } from '../../machines/index.js';
import type { Notice } from '../raft/effects.js';
import type { PeerMessage } from '../raft/messages.js';
import type { NodeId, Term } from '../raft/numbers-and-ids.js';
import { asReadRound, asTerm, NO_INDEX } from '../raft/numbers-and-ids.js';
import type { Settings } from '../raft/settings.js';
import { DEFAULT_SETTINGS } from '../raft/settings.js';
import type { DialEvents, Inbound, Transport } from '../seams/transport.js';
import { Recorder } from './recorder.js';
import { replicaInput } from './replica-input.js';
import { VirtualClock } from './virtual-clock.js';

/** A message that the replica sent, and when (virtual ms). */
export interface Sent {
  readonly to: NodeId;
  readonly message: PeerMessage;
  readonly atMs: number;
}

/** A follower that hears a leader, or stood still, waits for another timeout or two before it stands. */
const MOST_TIMEOUTS = 10;

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * Replica `a`, running on virtual time, among peers that are played by the test: `sent` is what `a` has said to them, `hear` is
 * what they say. Its log is in memory, and its state machine keeps commands.
 */
export class LoneReplica {
  readonly clock = new VirtualClock();
  readonly recorder = new Recorder();
  readonly sent: Sent[] = [];
  readonly notices: Notice[] = [];
  readonly actor: Actor<typeof replicaMachine>;
  /** Whether the connections refuse a message. */
  refuses: (message: PeerMessage) => boolean = () => false;
  readonly #connections = new Map<NodeId, DialEvents>();
  readonly #mostWaitMs: number;
  #inbound: Inbound | undefined;

  constructor(
    change: { ids?: string; settings?: Partial<Settings>; seed?: number; input?: Partial<ReplicaInput> } = {},
  ) {
    const { ids = 'abc', settings = {}, seed = 1, input = {} } = change;
    this.#mostWaitMs = MOST_TIMEOUTS * { ...DEFAULT_SETTINGS, ...settings }.ELECTION_TIMEOUT_MAX;
    this.actor = createActor(replicaMachine, {
      clock: this.clock,
      input: {
        ...replicaInput({ id: 'a', replicas: ids, clock: this.clock }),
        settings,
        seed,
        transport: this.#transport(),
        stateMachine: this.recorder,
        ...input,
      },
    });
    this.actor.on('*', (notice) => void this.notices.push(notice));
    this.actor.start();
    this.clock.runFor(1);
  }

  /** Where the chart is. */
  get value(): unknown {
    return this.actor.getSnapshot().value;
  }

  get term(): Term {
    return this.actor.getSnapshot().context.state.term;
  }

  send(event: ReplicaEvent): this {
    this.actor.send(event);
    return this;
  }

  /** A peer says something, and a millisecond passes. */
  hear(from: NodeId, message: PeerMessage): this {
    this.#inbound?.received(from, message);
    this.clock.runFor(1);
    return this;
  }

  /** A part of a large message. */
  hearPart(from: NodeId): this {
    this.#inbound?.heard(from);
    return this;
  }

  /** The connection to `peer` takes messages again. */
  makeRoom(peer: NodeId): this {
    this.#connections.get(peer)?.roomMade();
    return this;
  }

  /** Virtual time passes, ms. */
  pass(ms: number): this {
    this.clock.runFor(ms);
    return this;
  }

  /** Like `pass`, while `b` answers what this replica sends it as leader, and holds nothing: a majority of three is heard. */
  passHeard(ms: number): this {
    for (let left = ms; left > 0; left -= 20) {
      this.hear('b', {
        kind: 'append-reply',
        term: this.term,
        accepted: true,
        matchIndex: NO_INDEX,
        readRound: asReadRound(0),
      });
      this.pass(Math.min(20, left) - 1);
    }
    return this;
  }

  /** Lets it ask for pre-votes, once its timer runs out. The only replica of a cluster leads then; one that leads stays. */
  ask(): this {
    const endMs = this.clock.now() + this.#mostWaitMs;
    while (!this.#hasTag('candidate') && !this.#hasTag('leader')) {
      if (this.clock.now() > endMs)
        throw new Error(`expected the replica to stand for election, but it is ${shown(this.value)}`);
      this.pass(5);
    }
    return this.pass(1);
  }

  /** Lets it stand for election, with the pre-votes of as many peers as it takes. */
  stand(): this {
    this.ask();
    const term = asTerm(this.term + 1);
    for (const peer of Object.keys(this.actor.getSnapshot().context.state.peers)) {
      if (!this.#hasTag('preCandidate')) break;
      this.hear(peer, { kind: 'vote-reply', term, granted: true, preVote: true });
    }
    return this.pass(1);
  }

  /** Lets it win, with the vote of `b` where there are others. */
  lead(): this {
    this.stand();
    if (this.#hasTag('leader')) return this;
    return this.hear('b', { kind: 'vote-reply', term: this.term, granted: true, preVote: false });
  }

  sentOf<Kind extends PeerMessage['kind']>(kind: Kind): (Sent & { message: Extract<PeerMessage, { kind: Kind }> })[] {
    return this.sent.filter(({ message }) => message.kind === kind) as never;
  }

  noticesOf<Type extends Notice['type']>(type: Type): Extract<Notice, { type: Type }>[] {
    return this.notices.filter((notice): notice is Extract<Notice, { type: Type }> => notice.type === type);
  }

  #hasTag(tag: 'preCandidate' | 'candidate' | 'leader'): boolean {
    return this.actor.getSnapshot().hasTag(tag);
  }

  #transport(): Transport {
    return {
      accept: (_identity, inbound) => {
        this.#inbound = inbound;
        return () => {
          this.#inbound = undefined;
        };
      },
      dial: (_identity, peer, events) => {
        this.#connections.set(peer.id, events);
        this.clock.defer(() => events.opened());
        return {
          send: (message) => {
            if (this.refuses(message)) return false;
            this.sent.push({ to: peer.id, message, atMs: this.clock.now() });
            return true;
          },
          peerArrived: () => undefined,
          close: () => undefined,
        };
      },
    };
  }
}
