import type { MemberReport, NodeReport } from './node-report.js';

/** A node as whoever reads the reports of all of them has heard it. */
export interface HeardNode {
  readonly id: string;
  readonly address: string;
  /** The last that was heard; null where nothing ever was. */
  readonly report: NodeReport | null;
  /** ms since it was last heard; 0 while it answers. */
  readonly silentMs: number;
  readonly isAnswering: boolean;
  readonly startCommand: string | null;
  /** Why the reader's own last attempt to reach it failed, as `connection refused`. */
  readonly lastReason: string | null;
}

/** A node that answers its reader. */
export interface LiveNode extends HeardNode {
  readonly report: NodeReport;
}

/** Why a voter does not count for a majority now. */
export type LackKind = 'down' | 'halted' | 'recovering' | 'stalled' | 'full' | 'installing' | 'unheard';

export interface Lack {
  readonly node: HeardNode;
  readonly kind: LackKind;
}

/** The cluster, put together from the reports of all nodes. */
export interface ClusterPicture {
  /** In the order of their ids; each of them counts in majorities. */
  readonly voters: readonly HeardNode[];
  readonly live: readonly LiveNode[];
  /** How many voters are a majority. */
  readonly needed: number;
}

export function pictureOf(nodes: readonly HeardNode[]): ClusterPicture {
  const live = nodes.filter(isLive);
  const voters = votersOf(nodes, live);
  return { voters, live, needed: Math.floor(voters.length / 2) + 1 };
}

export function isLive(node: HeardNode): node is LiveNode {
  return node.isAnswering && node.report !== null;
}

/** The members as the node with the newest term knows them, also those that the reader has never heard. */
function votersOf(nodes: readonly HeardNode[], live: readonly LiveNode[]): readonly HeardNode[] {
  const members = newest(live)?.report.members ?? [];
  const known = members.filter(({ voter }) => voter).map(({ id, address }) => heardOr(nodes, id, address));
  return [...(known.length === 0 ? nodes : known)].sort((one, other) => byId(one.id, other.id));
}

const NUMBERS_AS_NUMBERS = new Intl.Collator('en', { numeric: true });

/** The order of nodes wherever they are shown: `n2` comes before `n10`. */
export const byId = (one: string, other: string): number => NUMBERS_AS_NUMBERS.compare(one, other);

function heardOr(nodes: readonly HeardNode[], id: string, address: string): HeardNode {
  const heard = nodes.find((node) => node.id === id);
  return heard ?? { id, address, report: null, silentMs: 0, isAnswering: false, startCommand: null, lastReason: null };
}

function newest(nodes: readonly LiveNode[]): LiveNode | undefined {
  return nodes.reduce<LiveNode | undefined>((best, node) => {
    return best === undefined || node.report.term > best.report.term ? node : best;
  }, undefined);
}

/** The leader of the newest term among the nodes that answer. One that a majority has left for a newer term is none. */
export function leaderIn(picture: ClusterPicture): LiveNode | undefined {
  const leader = newest(picture.live.filter(({ report }) => report.role === 'leader'));
  if (leader === undefined || withIt(picture, leader).length >= picture.needed) return leader;
  const moved = electors(picture).filter(({ report }) => report.term > leader.report.term);
  return moved.length >= picture.needed ? undefined : leader;
}

/** The voters that a leader has with it, itself included. */
export function withIt(picture: ClusterPicture, leader: LiveNode): readonly HeardNode[] {
  return picture.voters.filter((voter) => lackOf(voter, leader) === undefined);
}

/** The nodes that can vote, and stand, now. */
export function electors({ live }: ClusterPicture): readonly LiveNode[] {
  return live.filter((node) => lackOf(node, undefined) === undefined);
}

/** Why a voter does not count towards a majority; undefined where it does. The leader, if there is one, decides about silent nodes. */
export function lackOf(node: HeardNode, leader: LiveNode | undefined): LackKind | undefined {
  if (node.id === leader?.id) return undefined;
  const status = memberOf(leader, node.id)?.status ?? 'down';
  if (!isLive(node)) {
    if (typeof memberOf(leader, node.id)?.haltedBy === 'string') return 'halted';
    if (leader !== undefined && status !== 'down') return undefined;
    return node.report?.role === 'halted' ? 'halted' : 'down';
  }
  const { role, state } = node.report;
  if (role === 'halted' || role === 'recovering') return role;
  if (state.endsWith('stalled')) return 'stalled';
  if (state.endsWith('.full')) return 'full';
  if (leader === undefined) return undefined;
  if (status === 'down') return 'unheard';
  // It votes, but no entry of the leader's can be on its disk.
  const needsSnapshot = (node.report.receiving ?? null) !== null || state.endsWith('.awaitingSnapshot');
  return needsSnapshot ? 'installing' : undefined;
}

export function lacksIn(picture: ClusterPicture, leader: LiveNode | undefined): readonly Lack[] {
  return picture.voters.flatMap((node) => {
    const kind = lackOf(node, leader);
    return kind === undefined ? [] : [{ node, kind }];
  });
}

/** Why a node halted: in its own report, or as it told those that answer before its links closed. */
export function haltReasonOf(node: HeardNode, nodes: readonly HeardNode[]): string | undefined {
  const told = nodes.filter(isLive).map((one) => memberOf(one, node.id)?.haltedBy);
  return node.report?.haltedBy ?? told.find((reason) => typeof reason === 'string') ?? undefined;
}

function memberOf(node: LiveNode | undefined, id: string): MemberReport | undefined {
  return node?.report.members.find((member) => member.id === id);
}
