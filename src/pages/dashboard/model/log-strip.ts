import { grouped } from '../../../report/phrases.js';
import { progressOf } from '../../../report/snapshot-words.js';
import { duration } from '../../shared/format.js';
import type { ClusterView, NodeView } from './cluster-view.js';

export const CELLS = 30;
/** A phone has room for fewer. */
export const FEW_CELLS = 20;
/** This share of the cells may lie between the slowest live follower and the end of the log: the rest shows where it came from. */
const MOST_BETWEEN = 0.74;
const LEAST_BETWEEN_CHANGES_MS = 1_000;
/** A smaller scale must fit for so long before it is taken. */
const SMALLER_AFTER_MS = 5_000;

export interface Cell {
  readonly state: 'applied' | 'durable' | 'volatile' | 'missing';
  /** Its term modulo four: the colour. */
  readonly hue: number;
  /** The term, at the first cell of each; null where the next term begins before the number would end. */
  readonly label: string | null;
}

export interface LogWindow {
  readonly cells: number;
  readonly scale: number;
  /** The index before the first cell's first entry. */
  readonly start: number;
}

/** 1, 2, 5, 10, 20, 50, …: the smallest that is enough. */
export function scaleFor(entries: number, cells = CELLS): number {
  const between = Math.floor(cells * MOST_BETWEEN);
  for (let power = 1; ; power *= 10) {
    const fits = [1, 2, 5].map((digit) => digit * power).find((scale) => entries <= scale * between);
    if (fits !== undefined) return fits;
  }
}

/** How many entries the strips have to span. Nodes that are down do not count: they are left of what is shown. */
export function spanOf({ nodes, leader }: ClusterView): number {
  const live = nodes.flatMap(({ report, isAnswering }) => (report !== null && isAnswering ? [report.log] : []));
  if (live.length === 0) return 0;
  const end = Math.max(...live.map(({ lastIndex }) => lastIndex));
  const ends = live.map(({ lastIndex }) => lastIndex);
  const commits = leader?.report == null ? live.map(({ commitIndex }) => commitIndex) : [leader.report.log.commitIndex];
  return end - Math.max(0, Math.min(...ends, ...commits));
}

/** Keeps a scale for a while, so that the strips do not jump. */
export class LogScale {
  #scale = 1;
  #changedMs = Number.NEGATIVE_INFINITY;
  #fitsSmallerSinceMs: number | null = null;

  /** `span` is null where it is not known: the scale stays. */
  look(span: number | null, nowMs: number, cells = CELLS): number {
    if (span === null) return this.#scale;
    const wanted = scaleFor(span, cells);
    if (wanted >= this.#scale) this.#fitsSmallerSinceMs = null;
    else this.#fitsSmallerSinceMs ??= nowMs;
    const isRipe = wanted > this.#scale || nowMs - (this.#fitsSmallerSinceMs ?? nowMs) >= SMALLER_AFTER_MS;
    if (wanted !== this.#scale && isRipe && nowMs - this.#changedMs >= LEAST_BETWEEN_CHANGES_MS) {
      this.#scale = wanted;
      this.#changedMs = nowMs;
      this.#fitsSmallerSinceMs = null;
    }
    return this.#scale;
  }
}

/** Where the log of a slow cluster grows by single cells, the strips move by five at a time: cells fill where they stand. */
const SLOW_CELLS_PER_SECOND = 3;
const SLOW_STEP = 5;

export function windowOf(view: ClusterView, scale: number, cells = CELLS): LogWindow {
  const ends = view.nodes.flatMap(({ report, isAnswering }) =>
    report !== null && isAnswering ? report.log.lastIndex : [],
  );
  const heard = view.nodes.flatMap(({ report }) => report?.log.lastIndex ?? []);
  const last = Math.max(
    0,
    ...(ends.length > 0 ? ends : heard),
    ...recentlyLost(view, scale * Math.floor(cells * (1 - MOST_BETWEEN))),
  );
  const step = scale * ((view.facts.puts ?? 0) / scale < SLOW_CELLS_PER_SECOND ? SLOW_STEP : 1);
  return { cells, scale, start: Math.max(0, Math.ceil(last / step) * step - cells * scale) };
}

/** A leader that died a moment ago may hold more than all others: that is worth seeing, if it fits. */
function recentlyLost({ nodes }: ClusterView, most: number): readonly number[] {
  const live = Math.max(
    0,
    ...nodes.flatMap(({ report, isAnswering }) => (isAnswering ? (report?.log.lastIndex ?? []) : [])),
  );
  const lost = nodes.flatMap(({ report, isAnswering }) => (isAnswering ? [] : (report?.log.lastIndex ?? [])));
  return lost.filter((last) => last > live && last - live <= most);
}

export function cellsOf({ report }: Pick<NodeView, 'report'>, { cells, scale, start }: LogWindow): readonly Cell[] {
  if (report === null) return Array.from({ length: cells }, () => MISSING);
  const { log } = report;
  const terms: (number | null)[] = [];
  const cellsWithoutLabels = Array.from({ length: cells }, (_, at) => {
    const low = start + at * scale;
    const top = Math.min(low + scale, log.lastIndex);
    if (top <= low || top < log.firstIndex) return MISSING;
    const term = termAt(log.terms, top);
    terms[at] = term;
    return { state: stateAt(log, top), hue: (term ?? 0) % 4, label: null };
  });
  return cellsWithoutLabels.map((cell, at) => ({ ...cell, label: labelAt(terms, at) }));
}

/** A cell has room for two digits. A longer number runs on over cells of its term, and over empty ones. */
function labelAt(terms: readonly (number | null | undefined)[], at: number): string | null {
  const term = terms[at] ?? null;
  if (term === null || term === terms[at - 1]) return null;
  const label = String(term);
  const covered = terms.slice(at, at + Math.max(1, label.length - 1));
  return covered.every((other) => other === undefined || other === term) ? label : null;
}

const MISSING: Cell = { state: 'missing', hue: 0, label: null };

function stateAt(
  { appliedIndex, durableIndex }: { appliedIndex: number; durableIndex: number },
  index: number,
): Cell['state'] {
  if (appliedIndex >= index) return 'applied';
  return durableIndex >= index ? 'durable' : 'volatile';
}

function termAt(
  terms: readonly { readonly startIndex: number; readonly term: number }[],
  index: number,
): number | null {
  return terms.findLast(({ startIndex }) => startIndex <= index)?.term ?? terms[0]?.term ?? null;
}

/** Where in the strip the commit index lies, from 0 to 1; null where it is not in what is shown. */
export function commitShare({ report }: Pick<NodeView, 'report'>, { cells, scale, start }: LogWindow): number | null {
  const commit = report?.log.commitIndex ?? 0;
  const share = (commit - start) / (cells * scale);
  return commit === 0 || share < 0 || share > 1 ? null : share;
}

export interface Trail {
  readonly tone: 'plain' | 'danger';
  /** Every second part is a number and stands out. */
  readonly parts: readonly string[];
}

/** At the right of a strip: how far it trails, in words. */
export function trailOf(view: ClusterView, node: NodeView): Trail {
  if (node.report === null) return { tone: 'plain', parts: ['not heard yet'] };
  if (!node.isAnswering) return silentTrail(view, node);
  if (node.id === view.leader?.id) return leaderTrail(view);
  if (node.report.receiving) return { tone: 'plain', parts: ['snapshot: ', progressOf(node.report.receiving)] };
  if (view.leader !== null) return followerTrail(view, node);
  return { tone: 'plain', parts: [leaderlessWords(view, node)] };
}

function silentTrail({ leader }: ClusterView, { trails, silentMs }: NodeView): Trail {
  if (leader !== null && trails !== null && trails > 0 && silentMs > 10_000) {
    return { tone: 'danger', parts: ['trails by ', grouped(trails), ' and growing'] };
  }
  return { tone: 'danger', parts: [`as last heard, ${duration(silentMs)} ago`] };
}

function leaderTrail({ nodes, leader, isCommitting, facts }: ClusterView): Trail {
  if (!isCommitting && facts.uncommitted > 0) {
    const [entries, wait] = facts.uncommitted === 1 ? ['entry', 'waits'] : ['entries', 'wait'];
    return { tone: 'danger', parts: ['', grouped(facts.uncommitted), ` ${entries} ${wait} for a majority`] };
  }
  const others = nodes.filter(({ id }) => id !== leader?.id);
  if (others.length === 0) return { tone: 'plain', parts: ['the only node'] };
  const down = others.filter(({ isDown }) => isDown).map(({ id }) => id);
  const up = others.filter(({ isDown }) => !isDown);
  if (down.length > 0) {
    const to = up.length === 0 ? '' : `replicates to ${up.map(({ id }) => id).join(', ')}; `;
    return { tone: 'plain', parts: [`${to}probes ${down.join(', ')}`] };
  }
  const most = Math.max(0, ...others.map(({ trails }) => trails ?? 0));
  return most === 0
    ? { tone: 'plain', parts: ['all followers hold it'] }
    : { tone: 'plain', parts: ['all followers within ', ...entriesOf(most)] };
}

function followerTrail({ facts }: ClusterView, { trails, report }: NodeView): Trail {
  if (trails === null || trails === 0) return { tone: 'plain', parts: ['holds everything'] };
  // It takes no entries any more: how long ago the leader had as few tells nothing of when it will have them.
  if (report?.role === 'halted') return { tone: 'danger', parts: ['trails by ', grouped(trails), ' and growing'] };
  const rate = facts.puts ?? 0;
  const behind = rate >= 1 ? ` · ${duration(Math.max(1, Math.round((trails / rate) * 1_000)))}` : '';
  return { tone: 'plain', parts: ['trails by ', grouped(trails), behind.replace(/(\d)\.0 ms/, '$1 ms')] };
}

const entriesOf = (count: number): readonly string[] => [grouped(count), count === 1 ? ' entry' : ' entries'];

function leaderlessWords({ candidate, nodes }: ClusterView, node: NodeView): string {
  if (node.report?.role === 'candidate') return mayLead(node, nodes);
  if (candidate?.report?.votes?.[node.id] === true) return `voted in term ${candidate.report.term} for ${candidate.id}`;
  if (node.report?.role !== 'follower') return node.report?.role ?? '';
  return 'waits for a leader';
}

/** §5.4.1: a voter refuses whoever holds less than itself. */
function mayLead(candidate: NodeView, nodes: readonly NodeView[]): string {
  const others = nodes.filter(({ id, isAnswering, report }) => id !== candidate.id && isAnswering && report !== null);
  if (others.length === 0) return 'nobody to compare with';
  const own = positionOf(candidate);
  const best = others.reduce((one, other) => (isAfter(positionOf(one), positionOf(other)) ? one : other));
  const against = positionOf(best);
  if (isAfter(against, own)) return `holds less than ${best.id}: cannot have its vote`;
  const more = own.index - against.index;
  if (own.term !== against.term || more === 0) return `holds no less than ${best.id}: may lead`;
  return `${more === 1 ? 'one entry' : `${grouped(more)} entries`} more than ${best.id}: may lead`;
}

interface Position {
  readonly term: number;
  readonly index: number;
}

const positionOf = ({ report }: NodeView): Position => ({
  term: report?.log.terms.at(-1)?.term ?? 0,
  index: report?.log.lastIndex ?? 0,
});

const isAfter = (one: Position, other: Position): boolean =>
  one.term !== other.term ? one.term > other.term : one.index > other.index;
