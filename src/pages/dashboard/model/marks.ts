import type { ClusterView } from './cluster-view.js';
import type { Mark } from './history.js';
import { HISTORY_MS } from './history.js';

/**
 * Remembers when leadership changed and when no majority was left: vertical lines in the charts. For the time before this page saw the
 * cluster, the news that nodes keep tell of elections.
 */
export class MarkKeeper {
  #marks: Mark[] = [];
  /** Elections that news tell of, by their term. */
  readonly #told = new Map<number, Mark>();
  /** From this time on this page has seen the cluster itself. */
  #seenFromMs = Number.POSITIVE_INFINITY;
  #leader: string | null = null;
  #state: 'unknown' | 'leads' | 'election' | 'no majority' = 'unknown';

  /** Oldest first. */
  get marks(): readonly Mark[] {
    const told = [...this.#told.values()].filter(({ atMs }) => atMs < this.#seenFromMs);
    return [...told.sort((one, other) => one.atMs - other.atMs), ...this.#marks];
  }

  /** A node's news tell that it was elected in a term that began at `atMs`. */
  elected(id: string, term: number, atMs: number): void {
    this.#told.set(term, { atMs, label: `${id} leads`, tone: 'wait' });
  }

  /** To be told of every change of the cluster. */
  look(view: ClusterView): void {
    this.#marks = this.#marks.filter(({ atMs }) => view.nowMs - atMs < HISTORY_MS);
    for (const [term, { atMs }] of this.#told) if (view.nowMs - atMs >= HISTORY_MS) this.#told.delete(term);
    const { leader } = view;
    const state = stateOf(view);
    if (state === this.#state && (leader === null || leader.id === this.#leader)) return;
    if (state === 'unknown') return;
    const before = { state: this.#state, leader: this.#leader };
    this.#state = state;
    if (leader !== null) this.#leader = leader.id;
    if (before.state === 'unknown') {
      this.#seenFromMs = view.nowMs;
      return;
    }
    if (state === 'no majority') this.#mark({ atMs: view.nowMs, label: 'no majority', tone: 'danger' });
    else if (state === 'election') this.#mark({ atMs: view.nowMs, label: 'election', tone: 'wait' });
    else if (leader !== null) this.#leads(leader.id, view.nowMs, before.leader);
  }

  /** The election that brought it about has its line already. */
  #leads(id: string, nowMs: number, leaderBefore: string | null): void {
    const last = this.#marks.at(-1);
    const ended = last?.label === 'election' || last?.label === 'no majority';
    if (id === leaderBefore && !ended) return;
    const label = `${id} leads`;
    if (last !== undefined && last.label === 'election')
      this.#marks = [...this.#marks.slice(0, -1), { ...last, label }];
    else this.#mark({ atMs: nowMs, label, tone: 'wait' });
  }

  #mark(mark: Mark): void {
    this.#marks = [...this.#marks, mark];
  }
}

function stateOf({
  nodes,
  leader,
  isCommitting,
  answering,
  stuckSinceMs,
}: ClusterView): 'unknown' | 'leads' | 'election' | 'no majority' {
  if (answering === 0 || isUnheard(nodes)) return 'unknown';
  if (stuckSinceMs !== null && !isCommitting) return 'no majority';
  return leader === null ? 'election' : 'leads';
}

/** Nodes follow a leader that this page has not heard yet. */
const isUnheard = (nodes: ClusterView['nodes']): boolean =>
  nodes.some(({ isAnswering, report }) => {
    const leaderId = isAnswering ? report?.leaderId : null;
    return nodes.some(({ id, wasHeard }) => id === leaderId && !wasHeard);
  });

/** The marks (oldest first) without those that lie less than `least` before the next one. */
export function apart(marks: readonly Mark[], xOf: (mark: Mark) => number, least: number): readonly Mark[] {
  return marks.filter((mark, at) => {
    const next = marks[at + 1];
    return next === undefined || xOf(next) - xOf(mark) >= least;
  });
}
