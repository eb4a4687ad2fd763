import { leaderIn, pictureOf, withIt } from '../../../report/cluster-picture.js';
import type { MemberReport, NodeMetrics, NodeReport, StreamHello } from '../../../report/node-report.js';
import type { HeardNode } from '../../../report/why.js';
import { greatest, typicalPut } from './history.js';

/** A member as it is shown: what it told, how long ago, and what the leader says of it. */
export interface NodeView extends HeardNode {
  readonly hello: StreamHello | null;
  /** Null where none came in the last second and a half. */
  readonly metrics: NodeMetrics | null;
  readonly wasHeard: boolean;
  readonly reportAgeMs: number;
  /** By how much what it tells arrives later than it might. */
  readonly lateMs: number;
  /** Until this page tries again to reach it. */
  readonly nextTryMs: number | null;
  /** It serves this page. */
  readonly isOwn: boolean;
  /** It is heard through the node that serves this page, because this browser does not reach its own address. */
  readonly isThroughOwn: boolean;
  /** The node's condition as the leader sees it. */
  readonly status: MemberReport['status'];
  /** Entries that it trails the leader by; null for the leader, and where nobody leads. */
  readonly trails: number | null;
  /** It does not answer this page, and the leader, if there is one, does not hear it either. */
  readonly isDown: boolean;
}

/** Null is not known, or not known yet. */
export interface Facts {
  readonly puts: number | null;
  readonly reads: number | null;
  readonly p50: number | null;
  readonly p99: number | null;
  /** The sync time of the slowest node, ms. */
  readonly sync: number | null;
  readonly loop: number | null;
  readonly committed: number | null;
  /** Requests without an answer yet. */
  readonly waiting: number | null;
  /** Entries of the leader's log that no majority has. */
  readonly uncommitted: number;
}

export interface ClusterView {
  readonly nowMs: number;
  readonly name: string | null;
  /** Ordered by id. */
  readonly nodes: readonly NodeView[];
  readonly leader: NodeView | null;
  readonly candidate: NodeView | null;
  readonly answering: number;
  readonly majority: number;
  /** Voters that the leader hears, itself included. */
  readonly heardByLeader: number;
  readonly isCommitting: boolean;
  readonly term: number | null;
  /** When the term began, where any node's news tell it. */
  readonly termSinceMs: number | null;
  /** Since when nothing can be committed; null where it can. */
  readonly stuckSinceMs: number | null;
  readonly facts: Facts;
  /** By how much this page lags behind. */
  readonly behindMs: number;
}

/** Makes the picture of the cluster from all members as heard, and from when terms began. */
export function clusterView(
  heard: readonly NodeView[],
  termBegan: (term: number) => number | null,
  nowMs: number,
): ClusterView {
  const picture = pictureOf(heard);
  const leading = leaderIn(picture);
  const leader = heard.find(({ id }) => id === leading?.id) ?? null;
  const nodes = heard.map((node) => withLeader(node, leader));
  const answering = nodes.filter(({ isAnswering }) => isAnswering);
  const majority = picture.needed;
  const heardByLeader = leading === undefined ? 0 : withIt(picture, leading).length;
  const isCommitting = leader?.report?.state === 'active.leader.serving' && heardByLeader >= majority;
  const term = greatest((answering.length === 0 ? nodes : answering).map(({ report }) => report?.term ?? null));
  const candidate = candidateOf(answering);
  return {
    nowMs,
    name: nodes.find(({ hello }) => hello?.cluster !== null && hello !== null)?.hello?.cluster ?? null,
    nodes,
    leader: nodes.find(({ id }) => id === leader?.id) ?? null,
    candidate,
    answering: answering.length,
    majority,
    heardByLeader,
    isCommitting,
    term,
    termSinceMs: term === null ? null : termBegan(term),
    stuckSinceMs: isCommitting ? null : stuckSince(nodes, nowMs, majority),
    facts: factsOf(nodes, leader),
    behindMs: behindOf(answering),
  };
}

function candidateOf(answering: readonly NodeView[]): NodeView | null {
  const standing = answering.filter(({ report }) => report?.role === 'candidate');
  return standing.reduce<NodeView | null>((one, other) => (termOf(one) >= termOf(other) ? one : other), null);
}

const termOf = (node: NodeView | null): number => node?.report?.term ?? -1;

function withLeader(node: NodeView, leader: NodeView | null): NodeView {
  const member = leader?.report?.members.find(({ id }) => id === node.id);
  const status = leader === null || leader.id === node.id ? null : (member?.status ?? null);
  const isDown = !node.isAnswering && status !== 'up' && status !== 'suspect';
  return { ...node, status, trails: trailOf(node, leader, member), isDown };
}

function trailOf(node: NodeView, leader: NodeView | null, member: MemberReport | undefined): number | null {
  const last = leader?.report?.log.lastIndex;
  if (last === undefined || leader?.id === node.id) return null;
  const match = member?.matchIndex ?? 0;
  // A new leader learns only by and by how far a follower's log agrees with its own; what the follower last told stands till then.
  const held = match > 0 ? match : (node.report?.log.lastIndex ?? 0);
  return node.report === null && match === 0 ? null : Math.max(0, last - held);
}

/** Since so many fell silent that a majority was missing. */
function stuckSince(nodes: readonly NodeView[], nowMs: number, majority: number): number | null {
  const silences = nodes.filter(({ isDown }) => isDown).map(({ silentMs }) => silentMs);
  const tolerated = nodes.length - majority;
  if (silences.length <= tolerated) return null;
  silences.sort((one, other) => other - one);
  return nowMs - (silences[tolerated] as number);
}

function factsOf(nodes: readonly NodeView[], leader: NodeView | null): Facts {
  const metrics = nodes.flatMap((node) => node.metrics ?? []);
  const isPartOnly = metrics.length === 0 || nodes.some(isAwaited);
  const sum = (value: (of: NodeMetrics) => number): number | null => (isPartOnly ? null : sumOf(metrics.map(value)));
  const reports = nodes.flatMap(({ report, isAnswering }) => (report !== null && isAnswering ? report : []));
  return {
    puts: sum(({ putsPerSecond }) => putsPerSecond),
    reads: sum(({ readsPerSecond }) => readsPerSecond),
    p50: typicalPut(metrics),
    p99: greatest(metrics.map(({ putP99Ms }) => putP99Ms)),
    sync: greatest(metrics.map(({ syncMs }) => syncMs)),
    loop: greatest(metrics.map(({ eventLoopDelayMs }) => eventLoopDelayMs)),
    committed: leader?.report?.log.commitIndex ?? greatest(nodes.map(({ report }) => report?.log.commitIndex ?? null)),
    waiting: reports.length === 0 ? null : sumOf(reports.map(({ waiting }) => waiting.puts + waiting.reads)),
    uncommitted: uncommittedOf(leader?.report ?? null),
  };
}

/** So long a page that was just opened waits for a node's first word before it counts without it. */
const AWAITED_MS = 3_000;

/** It is being connected, for the first time: it may be the only one with callers. */
const isAwaited = ({ wasHeard, nextTryMs, silentMs }: NodeView): boolean =>
  !wasHeard && nextTryMs === null && silentMs < AWAITED_MS;

const sumOf = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0);

const uncommittedOf = (report: NodeReport | null): number =>
  report === null ? 0 : report.log.lastIndex - report.log.commitIndex;

/** The least of all nodes' delays: one slow node is no slow page. */
function behindOf(answering: readonly NodeView[]): number {
  if (answering.length === 0) return 0;
  return Math.min(...answering.map(({ lateMs, reportAgeMs }) => lateMs + Math.max(0, reportAgeMs - 1_000)));
}
