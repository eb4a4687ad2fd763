import type { LinkReport } from '../../../report/node-report.js';
import { grouped } from '../../../report/phrases.js';
import { duration } from '../../shared/format.js';
import type { ClusterView, NodeView } from './cluster-view.js';

/** How a direction of a link is drawn. */
export type LineKind = 'appends' | 'replies' | 'vote' | 'idle' | 'down' | 'silent' | 'unknown';

export interface Direction {
  readonly kind: LineKind;
  readonly perSecond: number;
}

/** Two nodes, each of which dials the other. */
export interface LinkView {
  readonly key: string;
  /** Places in the order of nodes. */
  readonly one: number;
  readonly other: number;
  readonly forth: Direction;
  readonly back: Direction;
  readonly label: readonly string[];
  readonly tone: 'plain' | 'wait' | 'danger' | 'pale';
}

/** All pairs of nodes. */
export function linksOf(view: ClusterView): readonly LinkView[] {
  return view.nodes.flatMap((one, at) => {
    return view.nodes.slice(at + 1).map((other, after) => linkBetween(view, { one, other, at, to: at + 1 + after }));
  });
}

interface Pair {
  readonly one: NodeView;
  readonly other: NodeView;
  readonly at: number;
  readonly to: number;
}

function linkBetween(view: ClusterView, { one, other, at, to }: Pair): LinkView {
  const forth = direction(view, one, other);
  const back = direction(view, other, one);
  return {
    key: `${one.id} ${other.id}`,
    one: at,
    other: to,
    forth,
    back,
    ...describe(view, one, other, { forth, back }),
  };
}

const linkOf = (node: NodeView, peer: string): LinkReport | undefined =>
  node.isAnswering ? node.report?.links.find((link) => link.peer === peer) : undefined;

function direction(view: ClusterView, from: NodeView, to: NodeView): Direction {
  const own = linkOf(from, to.id);
  const theirs = linkOf(to, from.id);
  const perSecond = own?.sentPerSecond ?? theirs?.receivedPerSecond ?? 0;
  if (own === undefined && theirs === undefined) return { kind: 'unknown', perSecond: 0 };
  if (own !== undefined && own.state !== 'open') return { kind: 'down', perSecond: 0 };
  if (own === undefined && (from.isDown || theirs?.state !== 'open')) {
    return { kind: isUnanswered(theirs) ? 'silent' : 'down', perSecond: 0 };
  }
  return { kind: kindOf(view, from, perSecond), perSecond };
}

const isUnanswered = (link: LinkReport | undefined): boolean => link?.state === 'open';

function kindOf(view: ClusterView, from: NodeView, perSecond: number): LineKind {
  if (perSecond === 0) return 'idle';
  if (from.report?.role === 'candidate') return 'vote';
  return from.id === view.leader?.id ? 'appends' : 'replies';
}

type Description = Pick<LinkView, 'label' | 'tone'>;

function describe(
  view: ClusterView,
  one: NodeView,
  other: NodeView,
  lines: Pick<LinkView, 'forth' | 'back'>,
): Description {
  const links = [linkOf(one, other.id), linkOf(other, one.id)].filter((link) => link !== undefined);
  if (links.length === 0) return { label: ['not known:', 'nobody to ask'], tone: 'pale' };
  const broken = links.filter(({ state }) => state !== 'open');
  if (broken.length > 0) return { label: brokenLabel(broken), tone: 'danger' };
  const silent = links.find(({ unanswered }) => unanswered !== null && unanswered >= missedAtMost(view));
  if (silent !== undefined || lines.forth.kind === 'silent' || lines.back.kind === 'silent') {
    return {
      label: [`${grouped(Math.max(...links.map((link) => link.sentPerSecond)))} beats/s`, 'no answer'],
      tone: 'danger',
    };
  }
  if (lines.forth.kind === 'vote' || lines.back.kind === 'vote') return { label: ['asks for', 'a vote'], tone: 'wait' };
  if (lines.forth.perSecond + lines.back.perSecond === 0) return { label: ['idle'], tone: 'pale' };
  return { label: ratesLabel(lines), tone: 'plain' };
}

const missedAtMost = (view: ClusterView): number => view.leader?.hello?.settings.maxMissedHeartbeats ?? 3;

/** Both directions, the way out first; the picture says which is which by arrows of its own. */
const ratesLabel = ({ forth, back }: Pick<LinkView, 'forth' | 'back'>): readonly string[] => [
  `${grouped(forth.perSecond)}/s`,
  `${grouped(back.perSecond)}/s`,
];

/** Both ends may dial: the one that is due first is shown. */
function brokenLabel(broken: readonly LinkReport[]): readonly string[] {
  const waiting = broken.filter(({ nextDialInMs }) => nextDialInMs !== null);
  const next = waiting.sort((one, other) => (one.nextDialInMs ?? 0) - (other.nextDialInMs ?? 0))[0] ?? broken[0];
  const reason = shortReason(next?.reason ?? broken[0]?.reason ?? null);
  if (next?.state === 'dialing' || next?.nextDialInMs === null || next === undefined) return [reason, 'dials now'];
  const inMs = Math.round(next.nextDialInMs / 10) * 10;
  return [reason, inMs <= 0 ? 'dials now' : `dials in ${duration(inMs)}`];
}

/** `connection refused` is `refused` where there is little room. */
export const shortReason = (reason: string | null): string =>
  reason === null ? 'not open' : reason.replace(/^(the )?connection (was )?/, '').split(/[:;,]/)[0] || 'not open';
