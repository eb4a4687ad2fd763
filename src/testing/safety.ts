import type { LogShape } from '../raft/log-shape.js';
import { beginAnew, extend, termAt, truncate } from '../raft/log-shape.js';
import type { Entry, LogRecord } from '../raft/messages.js';
import type { Index, NodeId, Term } from '../raft/numbers-and-ids.js';
import { advance } from '../raft/numbers-and-ids.js';
import type { ReplicaState, Role } from '../raft/replica-state.js';

/** One of Raft's guarantees does not hold: the run's seed shows it again. */
export class SafetyViolation extends Error {
  override readonly name = 'SafetyViolation';
}

interface Known {
  readonly previousTerm: Term;
  readonly content: string;
}

/**
 * Watches all replicas of a simulated cluster and holds Figure 3's properties against every change:
 * election safety, log matching, leader completeness and state machine safety.
 */
export class SafetyChecker {
  readonly #leaderOf = new Map<Term, NodeId>();
  /** By index and term. Equal content and an equal predecessor for each entry are log matching, by induction (§5.3). */
  readonly #entries = new Map<string, Known>();
  /** By index; grows with the highest commit index of any replica. */
  readonly #committed: Term[] = [];
  /** By index: the term of the replica that committed the entry first. */
  readonly #committedIn: Term[] = [];
  readonly #applied = new Map<Index, string>();
  readonly #shapes = new Map<NodeId, LogShape>();
  readonly #seen = new Map<NodeId, { raft: ReplicaState; role: Role }>();

  get committedIndex(): number {
    return this.#committed.length;
  }

  /** A replica starts, with what it recovered. */
  started(id: NodeId, log: LogShape): void {
    this.#shapes.set(id, log);
    this.#seen.delete(id);
  }

  /** A replica's process is gone: what the next one says of itself begins anew. */
  stopped(id: NodeId): void {
    this.#seen.delete(id);
  }

  /** A replica hands records to its log. */
  wrote(id: NodeId, records: readonly LogRecord[]): void {
    for (const record of records) {
      const shape = this.#shapeOf(id);
      if (record.kind === 'truncation') this.#shapes.set(id, truncate(shape, record.from));
      if (record.kind === 'installed') this.#shapes.set(id, beginAnew(record.snapshot, record.snapshot.index));
      if (record.kind === 'entries') for (const entry of record.entries) this.#hold(id, entry);
    }
  }

  /** A replica's chart moved. */
  moved(id: NodeId, role: Role, raft: ReplicaState): void {
    const before = this.#seen.get(id);
    if (before?.raft === raft && before.role === role) return;
    this.#seen.set(id, { raft, role });
    this.#require(
      (role === 'leader') === (raft.leaderId === id),
      `${id} is ${role}, and takes ${raft.leaderId} for the leader`,
    );
    if (role === 'leader') this.#leads(id, raft, before?.role !== 'leader');
    this.#require(
      before === undefined || raft.commitIndex >= before.raft.commitIndex,
      `${id}: commit index went back (P17)`,
    );
    this.#require(before === undefined || raft.term >= before.raft.term, `${id}: the term went back`);
    for (let index = this.#committed.length + 1; index <= raft.commitIndex; index += 1) {
      this.#committed.push(this.#termOf(raft, index as Index));
      this.#committedIn.push(raft.term);
    }
    if (before === undefined || before.raft.commitIndex !== raft.commitIndex) this.#agrees(id, raft);
  }

  /** A replica's state machine applied an entry. */
  applied(id: NodeId, entry: Pick<Entry, 'index' | 'term'>, content: string): void {
    const what = `${entry.term}:${content}`;
    const known = this.#applied.get(entry.index);
    this.#require(
      known === undefined || known === what,
      `${id} applied ${what} at ${entry.index}, others ${known} (state machine safety)`,
    );
    this.#applied.set(entry.index, what);
    const term = this.#committed[entry.index - 1];
    this.#require(term === entry.term, `${id} applied ${entry.index} of term ${entry.term}, which is not committed`);
  }

  #leads(id: NodeId, raft: ReplicaState, isNew: boolean): void {
    const other = this.#leaderOf.get(raft.term) ?? id;
    this.#require(other === id, `${other} and ${id} both lead term ${raft.term} (election safety)`);
    this.#leaderOf.set(raft.term, id);
    if (!isNew) return;
    this.#committed.forEach((term, at) => {
      const index = (at + 1) as Index;
      if (index <= raft.log.previous.index) return;
      // §5.4 speaks of later terms: who was stopped with its votes unread may still rise in a term that is over.
      if ((this.#committedIn[at] as Term) > raft.term) return;
      this.#require(
        termAt(raft.log, index) === term,
        `${id} leads term ${raft.term} without committed entry ${index} of term ${term} (leader completeness)`,
      );
    });
  }

  #agrees(id: NodeId, raft: ReplicaState): void {
    for (let index = Math.max(1, raft.log.previous.index); index <= raft.commitIndex; index += 1) {
      this.#require(
        this.#termOf(raft, index as Index) === this.#committed[index - 1],
        `${id} takes another entry for committed at ${index} (state machine safety)`,
      );
    }
  }

  #hold(id: NodeId, entry: Entry): void {
    const shape = this.#shapeOf(id);
    const previousTerm = termAt(shape, advance(entry.index, -1));
    this.#require(
      shape.lastIndex === entry.index - 1 && previousTerm !== undefined,
      `${id}: a gap before ${entry.index}`,
    );
    const key = `${entry.index}:${entry.term}`;
    const content = `${entry.kind} ${entry.timeMs} ${entry.payload.join(',')}`;
    const known = this.#entries.get(key);
    this.#require(
      known === undefined || (known.content === content && known.previousTerm === previousTerm),
      `${id}: two entries of index ${entry.index} and term ${entry.term} differ, or follow different ones (log matching)`,
    );
    this.#entries.set(key, { previousTerm: previousTerm as Term, content });
    this.#shapes.set(id, extend(shape, entry.term, 1));
  }

  #termOf(raft: ReplicaState, index: Index): Term {
    const term = termAt(raft.log, index);
    this.#require(term !== undefined, `${raft.id}: committed ${index} is not in its log`);
    return term as Term;
  }

  #shapeOf(id: NodeId): LogShape {
    return this.#shapes.get(id) as LogShape;
  }

  #require(holds: boolean, what: string): void {
    if (!holds) throw new SafetyViolation(what);
  }
}
