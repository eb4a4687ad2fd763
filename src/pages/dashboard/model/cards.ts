import { haltReasonOf, isLive } from '../../../report/cluster-picture.js';
import type { NodeReport, ReceivingReport } from '../../../report/node-report.js';
import { grouped } from '../../../report/phrases.js';
import { silenceOf } from '../../../report/silence.js';
import { progressOf, receivingWords } from '../../../report/snapshot-words.js';
import { duration } from '../../shared/format.js';
import type { ClusterView, NodeView } from './cluster-view.js';

export interface CardFact {
  readonly label: string;
  readonly value: string;
  readonly tone?: 'danger' | 'wait';
  /** The text that appears when the pointer rests on it. */
  readonly tip?: string;
}

export interface Vote {
  readonly id: string;
  readonly answer: 'granted' | 'asked' | 'none';
}

/** A follower that `waits` takes no part in what is committed: its disk is full or hangs, or it receives a snapshot. */
export type Look =
  | 'leader'
  | 'follower'
  | 'waits'
  | 'candidate'
  | 'recovering'
  | 'halted'
  | 'down'
  | 'unheard'
  | 'unknown';

export interface Card {
  readonly id: string;
  readonly badge: string;
  /** How badge and outline look. */
  readonly look: Look;
  /** For the DOM contract. */
  readonly role: string;
  readonly term: number | null;
  readonly state: string | null;
  readonly isUp: boolean;
  /** Under the badge: the chart's state, or what it was. */
  readonly line: string;
  readonly facts: readonly CardFact[];
  /** In place of a second fact: words, as the reason of a halt. */
  readonly words: string | null;
  readonly votes: readonly Vote[];
  readonly timer: { readonly share: number; readonly isShort: boolean } | null;
}

export function cardOf(view: ClusterView, node: NodeView): Card {
  const { id, report } = node;
  const look = lookOf(view, node);
  const shared = {
    id,
    look,
    badge: BADGES[look] ?? waitOf(report)?.badge ?? report?.role ?? '–',
    role: report?.role ?? 'unknown',
    term: report?.term ?? null,
    state: report?.state ?? null,
    isUp: node.isAnswering || (!node.isDown && node.wasHeard),
    facts: [],
    words: null,
    votes: [],
    timer: null,
  };
  if (look === 'unknown') return { ...shared, line: node.address, facts: [{ label: 'term', value: '–' }] };
  if (look === 'down' || look === 'unheard') return { ...shared, ...silentCard(view, node) };
  if (look === 'halted') return { ...shared, ...haltedCard(view, node) };
  return { ...shared, line: report?.state ?? '', ...liveCard(view, node) };
}

/** Where the role is not the word. */
const BADGES: Readonly<Partial<Record<Card['look'], string>>> = {
  down: 'down',
  unheard: 'not heard',
  unknown: 'not heard yet',
};

function lookOf({ nodes }: ClusterView, node: NodeView): Look {
  const { isAnswering, isDown, wasHeard, report, silentMs } = node;
  if (report !== null && isAnswering) return waitOf(report) === undefined ? report.role : 'waits';
  if (isDown && haltReasonOf(node, nodes) !== undefined) return 'halted';
  if (!wasHeard && silentMs < 3_000) return 'unknown';
  return isDown ? 'down' : 'unheard';
}

interface Wait {
  readonly badge: string;
  readonly words: string | null;
}

/** Why a follower takes no part in what is committed; undefined where it does. */
function waitOf(report: NodeReport | null): Wait | undefined {
  if (report?.role !== 'follower') return undefined;
  if (report.receiving) return { badge: 'installing', words: null };
  if (report.state.endsWith('.awaitingSnapshot'))
    return { badge: 'needs snapshot', words: "its own is damaged: waits for the leader's" };
  if (report.state.endsWith('.full')) return { badge: 'disk full', words: 'takes no entries until there is room' };
  if (report.state.endsWith('.stalled')) return { badge: 'disk hangs', words: 'neither leads nor votes meanwhile' };
  return undefined;
}

/** What a look adds to a card. */
type Body = Partial<Pick<Card, 'line' | 'facts' | 'words' | 'votes' | 'timer'>>;

function silentCard(view: ClusterView, node: NodeView): Body & { readonly line: string } {
  const { report, silentMs, wasHeard } = node;
  const line = report === null ? node.address : `was ${report.role}, term ${report.term}`;
  const heard = wasHeard ? `${duration(silentMs)} ago` : 'never by this page';
  return { line, facts: [{ label: 'last heard', value: heard }], words: whySilent(view, node) };
}

/** A process that halts ends soon after: what it told stays. */
function haltedCard({ nodes }: ClusterView, node: NodeView): Body & { readonly line: string } {
  const { isAnswering, report, silentMs } = node;
  const words = haltReasonOf(node, nodes) ?? report?.notReady?.message ?? 'its log says why';
  return { line: isAnswering ? (report?.state ?? '') : `gone for ${duration(silentMs)}`, words };
}

function whySilent({ nodes, leader }: ClusterView, node: NodeView): string {
  if (!node.isDown) return 'the leader hears it; this page does not';
  const leading = leader !== null && isLive(leader) ? leader : undefined;
  return silenceOf(node, leading, nodes).reason.replace('heartbeat', 'beat');
}

function liveCard(view: ClusterView, node: NodeView): Body {
  const { report } = node;
  if (report === null) return {};
  switch (report.role) {
    case 'leader':
      return leaderCard(view, node);
    case 'candidate':
      return candidateCard(view, node);
    case 'follower':
      return followerCard(view, node, report);
    case 'recovering':
      return {
        facts: [{ label: 'entries', value: grouped(report.log.lastIndex) }],
        words: 'reads its log',
      };
    case 'halted':
      return {};
  }
}

function followerCard(view: ClusterView, node: NodeView, report: NodeReport): Body {
  const words = waitOf(report)?.words ?? null;
  if (words !== null) return { words };
  const fact = report.receiving ? receivingFact(report.receiving) : waitFact(view, node);
  return { facts: [termFact(report.term), fact], timer: timerOf(view, node) };
}

const termFact = (term: number): CardFact => ({ label: 'term', value: String(term) });

function receivingFact(receiving: ReceivingReport): CardFact {
  const tip = `It ${receivingWords(receiving)}, up to entry ${grouped(receiving.index)}: entries that it lacks are no longer in the leader's log`;
  return { label: 'snapshot', value: progressOf(receiving), tone: 'wait', tip };
}

function leaderCard(view: ClusterView, { id, hello, report }: NodeView): Body {
  const term = report?.term ?? 0;
  if (view.leader?.id !== id)
    return { facts: [termFact(term), { label: 'leads', value: 'an old term', tone: 'wait' }] };
  if (view.heardByLeader < view.majority) {
    return {
      facts: [
        { label: `term ${term}`, value: 'cannot commit', tone: 'danger' },
        { label: 'answers', value: `${view.heardByLeader} of ${view.majority} needed` },
      ],
    };
  }
  if (report?.state !== 'active.leader.serving') {
    return { facts: [termFact(term), { label: 'serves', value: 'not yet', tone: 'wait' }] };
  }
  const beats = hello === null ? '–' : `${hello.settings.heartbeatMs} ms`;
  return { facts: [termFact(term), { label: 'beats every', value: beats }] };
}

function candidateCard(view: ClusterView, node: NodeView): Body {
  const { id, report } = node;
  const timer = timerOf(view, node);
  const rest = report?.timer == null ? '' : restText(view, node);
  const votes = Object.entries(report?.votes ?? {}).map(([voter, vote]) => ({
    id: voter,
    answer: answerOf(view, voter, vote),
  }));
  votes.sort(
    (one, other) =>
      Number(other.id === id) - Number(one.id === id) || VOTE_ORDER[one.answer] - VOTE_ORDER[other.answer],
  );
  return { facts: [{ label: `term ${report?.term}`, value: rest === '' ? '' : `again in ${rest}` }], votes, timer };
}

const VOTE_ORDER: Readonly<Record<Vote['answer'], number>> = { granted: 0, asked: 1, none: 2 };

function answerOf({ nodes }: ClusterView, voter: string, vote: boolean | null): Vote['answer'] {
  if (vote === true) return 'granted';
  return vote === null && nodes.find(({ id }) => id === voter)?.isDown !== true ? 'asked' : 'none';
}

function waitFact(view: ClusterView, node: NodeView): CardFact {
  const label = view.leader === null ? 'stands in' : 'timeout in';
  const { timer = null } = node.report ?? {};
  if (timer === null) return { label, value: '–' };
  const tip = `Stands for election in ${restText(view, node)} unless it hears a leader: its timeout is ${Math.round(timer.lengthMs)} ms long, and each heartbeat starts it anew`;
  return { label, value: restText(view, node), tip };
}

const restText = (view: ClusterView, node: NodeView): string => `${Math.round(restOf(view, node))} ms`;

/** Under this share a timer that runs out is near. */
const SHORT_SHARE = 0.35;

function timerOf(view: ClusterView, node: NodeView): Card['timer'] {
  const timer = node.report?.timer;
  if (timer === null || timer === undefined) return null;
  const share = Math.min(1, Math.max(0, restOf(view, node) / timer.lengthMs));
  return { share, isShort: share < SHORT_SHARE };
}

/** Until a node's election timer ends. A leader's heartbeats set it anew between two reports. */
export function restOf({ leader }: ClusterView, { report, reportAgeMs, isAnswering }: NodeView): number {
  if (report === null || report.timer === null) return 0;
  const { lengthMs, restMs } = report.timer;
  const left = restMs - (isAnswering ? reportAgeMs : 0);
  const beatMs = leader?.hello?.settings.heartbeatMs ?? 0;
  const isKeptFrom = leader !== null && report.role === 'follower' && report.leaderId === leader.id && beatMs > 0;
  return isKeptFrom && left < lengthMs - 2 * beatMs ? lengthMs - (reportAgeMs % beatMs) : Math.max(0, left);
}
