import { firstIndex } from '../raft/log-shape.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import type { ReplicaState } from '../raft/replica-state.js';
import type { WaitingCalls } from '../replica/call-meter.js';
import type { ReplicaActor } from '../replica/replica.js';
import type { NodeStatus } from '../replica/status.js';
import type { CountedTransport } from './counted-transport.js';
import { LinkRates } from './link-rates.js';
import type { LinkReport, NodeReport } from './node-report.js';
import { linkReason } from './plain-reasons.js';

const MOST_TERMS = 16;

/** A node, as far as its reports go. */
export interface ReportedNode {
  readonly actor: ReplicaActor;
  readonly state: ReplicaState;
  status(): NodeStatus;
  whyNotReady(): { readonly code: string; readonly message: string } | undefined;
  haltReason(): string | null;
  waiting(): WaitingCalls;
}

/** Makes reports of a node's state: from its snapshots, which are read at that moment and at no other. */
export class ReportMaker {
  readonly #node: ReportedNode;
  readonly #transport: CountedTransport;
  readonly #rates = new LinkRates();

  constructor(node: ReportedNode, transport: CountedTransport) {
    this.#node = node;
    this.#transport = transport;
  }

  /** `nowMs` is monotonic, `atMs` of the wall clock. */
  make(nowMs: number, atMs: number, endedUnknown: number): NodeReport {
    const { state } = this.#node;
    const { role, term, leaderId, members, snapshot, receiving, state: value } = this.#node.status();
    const why = this.#node.whyNotReady();
    const { commands, reads, oldestReceivedMs } = this.#node.waiting();
    return {
      atMs,
      role,
      term,
      leaderId,
      state: pathOf(value),
      members,
      log: logOf(state),
      snapshot,
      receiving,
      timer: this.#timer(nowMs, state),
      votes: role === 'candidate' ? votesOf(state) : null,
      links: Object.keys(state.peers)
        .sort()
        .map((peer) => this.#link(peer, nowMs, role === 'leader')),
      waiting: {
        puts: commands,
        reads,
        oldestMs: oldestReceivedMs === null ? null : Math.max(0, Math.round(nowMs - oldestReceivedMs)),
        endedUnknown,
      },
      haltedBy: role === 'halted' ? this.#node.haltReason() : null,
      notReady: why === undefined ? null : { code: why.code.replace('QUORATE_', ''), message: why.message },
    };
  }

  /** The timer is not set anew for each message: what is left of it counts from when the leader was heard last. */
  #timer(nowMs: number, { leaderHeardAtMs }: ReplicaState): NodeReport['timer'] {
    const snapshot = this.#node.actor.getSnapshot().context.managers.electionManager.getSnapshot();
    const { timeoutMs, quietSinceMs, campaignSinceMs } = snapshot.context;
    if (snapshot.matches('idle') || snapshot.status !== 'active') return null;
    const sinceMs =
      snapshot.matches('campaigning') || snapshot.matches('asking')
        ? campaignSinceMs
        : Math.max(quietSinceMs, leaderHeardAtMs);
    return { lengthMs: Math.round(timeoutMs), restMs: Math.max(0, Math.round(sinceMs + timeoutMs - nowMs)) };
  }

  #link(peer: string, nowMs: number, leads: boolean): LinkReport {
    const { context } = this.#node.actor.getSnapshot();
    const link = valueFor(context.links, peer)?.getSnapshot();
    const traffic = this.#transport.with(peer);
    const isOpen = link?.matches({ running: 'open' }) === true;
    const isWaiting = link?.matches('backingOff') === true;
    const missed = valueFor(context.managers.heartbeatManager.getSnapshot().context.unanswered, peer);
    return {
      peer,
      state: isOpen ? 'open' : isWaiting ? 'waiting' : 'dialing',
      reason: isOpen ? null : linkReason(valueFor(context.state.peers, peer)?.link.reason ?? 'not dialed yet'),
      nextDialInMs: isWaiting ? Math.max(0, Math.round(traffic.closedAtMs + link.context.backoffMs - nowMs)) : null,
      ...this.#rates.at(nowMs, peer, traffic),
      // The heartbeat that was sent last is counted in advance.
      unanswered: leads ? Math.max(0, (missed ?? 0) - 1) : null,
    };
  }
}

/** A state value of XState's as a path, as `active.leader.serving`. */
export function pathOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [[key, inner] = ['', '']] = Object.entries(Object(value));
  return `${key}.${pathOf(inner)}`;
}

function logOf({ log, commitIndex, lastApplied, comparison }: ReplicaState): NodeReport['log'] {
  const { lastIndex, durableIndex, runs } = log;
  const terms = runs.slice(-MOST_TERMS).map(([startIndex, term]) => ({ startIndex, term }));
  return {
    firstIndex: firstIndex(log),
    lastIndex,
    durableIndex,
    commitIndex,
    appliedIndex: lastApplied,
    agreedIndex: comparison.agreedIndex,
    terms,
  };
}

/** The votes that a candidate has; of one that asks first whether it could win, who would vote for it. */
function votesOf({ voters, votes: given, preVotes }: ReplicaState): Readonly<Record<string, boolean | null>> {
  const votes = Object.keys(preVotes).length > 0 ? preVotes : given;
  return Object.fromEntries(voters.map((voter) => [voter, valueFor(votes, voter) ?? null]));
}
