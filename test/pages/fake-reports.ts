import type { LinkReport, MemberReport, NodeMetrics, NodeReport } from '../../src/report/node-report.js';
import type { FakeNode, FakeRaft } from './fake-raft.js';

export const SETTINGS = {
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  heartbeatMs: 50,
  priority: 10,
  maxMissedHeartbeats: 3,
};

interface Moment {
  readonly atMs: number;
  readonly addressOf: (id: string) => string;
  readonly rate: number;
}

/** A node's election timeout: drawn once for each, so that pictures are alike. */
const TIMEOUTS = [231, 243, 188, 277, 204, 262, 219];

export function reportOf(raft: FakeRaft, node: FakeNode, { atMs, addressOf, rate }: Moment): NodeReport {
  const isLeader = node.role === 'leader';
  const waits = raft.isCommitting ? 0 : 13;
  return {
    atMs,
    role: node.role,
    term: node.term,
    leaderId: node.leaderId,
    state: node.state,
    members: raft.nodes.map((one) => memberOf(raft, one, isLeader, addressOf)),
    snapshot: null,
    log: {
      firstIndex: 1,
      lastIndex: node.last,
      durableIndex: node.durable,
      commitIndex: node.commit,
      appliedIndex: node.applied,
      terms: node.terms,
    },
    timer: timerOf(raft, node, atMs),
    votes: node.votes,
    links: raft.nodes.filter(({ id }) => id !== node.id).map((peer) => linkOf(node, peer, { atMs, addressOf, rate })),
    waiting: { puts: waits, reads: waits === 0 ? 0 : 12, oldestMs: waits === 0 ? null : 7_900, endedUnknown: 0 },
    haltedBy: node.haltedBy,
    receiving: node.receiving,
    notReady: null,
  };
}

function memberOf(
  raft: FakeRaft,
  { id, absence }: FakeNode,
  isLeader: boolean,
  addressOf: Moment['addressOf'],
): MemberReport {
  const status = absence === null ? 'up' : 'down';
  const known = isLeader
    ? { status: status as 'up' | 'down', matchIndex: absence === null ? raft.match(id) : 0 }
    : { status: null, matchIndex: null };
  return { id, address: addressOf(id), voter: true, ...known };
}

function timerOf(raft: FakeRaft, node: FakeNode, atMs: number): NodeReport['timer'] {
  if ((node.role !== 'follower' && node.role !== 'candidate') || node.receiving !== null) return null;
  const lengthMs = TIMEOUTS[raft.nodes.indexOf(node) % TIMEOUTS.length] ?? 200;
  const sinceBeat = atMs % SETTINGS.heartbeatMs;
  return { lengthMs, restMs: lengthMs - sinceBeat };
}

function linkOf(node: FakeNode, peer: FakeNode, { atMs, rate }: Moment): LinkReport {
  const shared = { peer: peer.id, unanswered: node.role === 'leader' ? 0 : null };
  if (peer.absence === 'killed') {
    const reason = 'connection refused';
    return {
      ...shared,
      state: 'waiting',
      reason,
      nextDialInMs: 1_000 - (atMs % 1_000),
      sentPerSecond: 0,
      receivedPerSecond: 0,
    };
  }
  const open = { ...shared, state: 'open', reason: null, nextDialInMs: null } as const;
  if (peer.absence === 'frozen') {
    const unanswered = Math.round((atMs - peer.absentSinceMs) / SETTINGS.heartbeatMs);
    return { ...open, unanswered, sentPerSecond: 20, receivedPerSecond: 0 };
  }
  const perSecond = Math.min(1_204, 20 + Math.round(rate / 10));
  if (node.role === 'candidate') return { ...open, sentPerSecond: 1, receivedPerSecond: 0 };
  const isBusy = node.role === 'leader' || peer.role === 'leader';
  return {
    ...open,
    sentPerSecond: isBusy ? perSecond - (node.role === 'leader' ? 0 : 6) : 0,
    receivedPerSecond: isBusy ? perSecond : 0,
  };
}

const wave = (atMs: number, periodMs: number, phase: number): number =>
  Math.sin(atMs / periodMs + phase) * 0.6 + Math.sin(atMs / 1_700 + phase * 3) * 0.4;

const behindOf = (raft: FakeRaft): Readonly<Record<string, number>> => {
  const last = raft.leader?.last ?? 0;
  return Object.fromEntries(
    raft.nodes.filter((node) => node !== raft.leader).map(({ id, durable }) => [id, last - durable]),
  );
};

/** All callers ask the leader. */
export function metricsOf(raft: FakeRaft, node: FakeNode, atMs: number, rate: number): NodeMetrics {
  const serves = node.role === 'leader' && raft.isCommitting;
  const phase = raft.nodes.indexOf(node);
  return {
    atMs,
    putsPerSecond: serves ? Math.round(rate * (1 + wave(atMs, 9_000, phase) / 30)) : 0,
    readsPerSecond: serves ? Math.round(rate * 0.26 * (1 + wave(atMs, 11_000, phase) / 30)) : 0,
    putP50Ms: serves ? 4.1 + wave(atMs, 9_000, 1) * 0.3 : null,
    putP99Ms: serves ? 11.8 + wave(atMs, 6_000, 2) * 2 : null,
    syncMs: serves || (raft.isCommitting && node.absence === null) ? 1.4 + wave(atMs, 7_000, phase) * 0.3 : null,
    eventLoopDelayMs: 0.7 + wave(atMs, 5_000, phase) * 0.15,
    errors: {},
    behind: serves ? behindOf(raft) : null,
  };
}
