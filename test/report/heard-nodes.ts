import type { HeardNode } from '../../src/report/cluster-picture.js';
import type { LinkReport, NodeReport } from '../../src/report/node-report.js';

export const addressOf = (id: string): string => `127.0.0.1:740${id.slice(1)}`;
const commandFor = (id: string): string => `node main.js serve --id ${id} --data .quorate/${id}`;

/** A node that follows the leader `n1` of three, but for what `change` says. */
export function report(id: string, ids: readonly string[], change: Partial<NodeReport> = {}): NodeReport {
  return {
    atMs: 1_000,
    role: 'follower',
    term: 7,
    leaderId: 'n1',
    state: 'active.follower',
    members: ids.map((member) => ({
      id: member,
      address: addressOf(member),
      voter: true,
      status: null,
      matchIndex: null,
    })),
    snapshot: null,
    receiving: null,
    log: { firstIndex: 1, lastIndex: 10, durableIndex: 10, commitIndex: 10, appliedIndex: 10, terms: [] },
    timer: null,
    votes: null,
    links: ids.filter((peer) => peer !== id).map((peer) => openLink(peer)),
    waiting: { puts: 0, reads: 0, oldestMs: null, endedUnknown: 0 },
    haltedBy: null,
    notReady: null,
    ...change,
  };
}

export function openLink(peer: string, unanswered: number | null = null): LinkReport {
  return { peer, state: 'open', reason: null, nextDialInMs: null, sentPerSecond: 0, receivedPerSecond: 0, unanswered };
}

export function brokenLink(peer: string, reason: string): LinkReport {
  return { ...openLink(peer), state: 'waiting', reason, nextDialInMs: 12 };
}

export function live(heard: NodeReport, id: string): HeardNode {
  const startCommand = commandFor(id);
  return { id, address: addressOf(id), report: heard, silentMs: 0, isAnswering: true, startCommand, lastReason: null };
}

export function gone(id: string, silentMs: number, heard: NodeReport | null, lastReason: string | null): HeardNode {
  const startCommand = heard === null ? null : commandFor(id);
  return { id, address: addressOf(id), report: heard, silentMs, isAnswering: false, startCommand, lastReason };
}

/** `n1` leads and serves; `down` are the peers that do not answer its heartbeats. */
export function leading(
  ids: readonly string[],
  { down = [], ...change }: Partial<NodeReport> & { readonly down?: readonly string[] } = {},
): NodeReport {
  const plain = report('n1', ids);
  const members = plain.members.map((member) => ({
    ...member,
    status: down.includes(member.id) ? ('down' as const) : ('up' as const),
  }));
  return { ...plain, role: 'leader', state: 'active.leader.serving', members, ...change };
}
