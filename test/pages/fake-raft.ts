import type { NodeReport, ReceivingReport } from '../../src/report/node-report.js';

type Role = NodeReport['role'];
type Terms = readonly { readonly startIndex: number; readonly term: number }[];

export interface FakeNode {
  readonly id: string;
  role: Role;
  term: number;
  state: string;
  leaderId: string | null;
  last: number;
  durable: number;
  commit: number;
  applied: number;
  terms: Terms;
  votes: Record<string, boolean | null> | null;
  /** Answers nobody: `killed` refuses connections, `frozen` keeps them open. */
  absence: 'killed' | 'frozen' | null;
  absentSinceMs: number;
  haltedBy: string | null;
  /** The snapshot that it receives: it takes no entries meanwhile. */
  receiving: ReceivingReport | null;
}

const isPresent = ({ absence, role, receiving }: FakeNode): boolean =>
  absence === null && role !== 'halted' && role !== 'recovering' && receiving === null;

export interface Load {
  readonly putsPerSecond: number;
  /** How long after the leader appended it an entry reaches each follower, in the order of ids. */
  readonly lagMs: readonly number[];
}

const ON_DISK_AFTER_MS = 3;

/**
 * As much of Raft as a page can see: a leader appends, followers hold prefixes of its log, an entry is committed once a majority has
 * it on disk, and applied once it is committed. Everything else is decided by the script.
 */
export class FakeRaft {
  readonly nodes: readonly FakeNode[];
  readonly #load: Load;

  constructor(ids: readonly string[], load: Load, firstIndexes: Terms) {
    this.#load = load;
    const last = (firstIndexes.at(-1)?.startIndex ?? 1) + 1_400;
    const { term = 1 } = firstIndexes.at(-1) ?? {};
    this.nodes = ids.map((id, at) => ({
      id,
      role: at === 0 ? 'leader' : 'follower',
      term,
      state: at === 0 ? 'active.leader.serving' : 'active.follower',
      leaderId: ids[0] ?? null,
      last,
      durable: last,
      commit: last,
      applied: last,
      terms: firstIndexes,
      votes: null,
      absence: null,
      absentSinceMs: 0,
      haltedBy: null,
      receiving: null,
    }));
  }

  node(id: string): FakeNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`expected one of the fake's nodes, got ${id}`);
    return node;
  }

  get present(): readonly FakeNode[] {
    return this.nodes.filter(isPresent);
  }

  get leader(): FakeNode | undefined {
    return this.present.find(({ role }) => role === 'leader');
  }

  get majority(): number {
    return Math.floor(this.nodes.length / 2) + 1;
  }

  get isCommitting(): boolean {
    return this.leader?.state === 'active.leader.serving' && this.present.length >= this.majority;
  }

  /** What the leader knows each follower to have on disk. */
  match(id: string): number {
    return this.node(id).durable;
  }

  /** Time passes; `rate` is how many commands are proposed a second. Without a majority callers wait: so many entries at most. */
  pass(ms: number, rate = this.#load.putsPerSecond, mostUncommitted = 35): void {
    const { leader } = this;
    if (leader === undefined) return;
    const appended = Math.round((rate * ms) / 1_000);
    leader.last += this.isCommitting
      ? appended
      : Math.min(appended, Math.max(0, leader.commit + mostUncommitted - leader.last));
    const unsynced = this.isCommitting ? Math.round((rate * ON_DISK_AFTER_MS) / 1_000) : 0;
    leader.durable = Math.max(leader.durable, leader.last - unsynced * 4);
    for (const follower of this.present) if (follower !== leader) this.#replicate(leader, follower, rate, unsynced);
    this.#commit(leader);
    for (const follower of this.present) if (follower !== leader) this.#learnCommit(leader, follower, rate);
  }

  #replicate(leader: FakeNode, follower: FakeNode, rate: number, unsynced: number): void {
    const lagMs = this.#load.lagMs[this.nodes.indexOf(follower) % this.#load.lagMs.length] ?? 10;
    const behind = Math.round((rate * lagMs) / 1_000);
    follower.last = Math.max(follower.last, leader.last - behind);
    follower.durable = Math.max(follower.durable, follower.last - unsynced);
    follower.terms = leader.terms.filter(({ startIndex }) => startIndex <= follower.last);
  }

  /** A follower learns of the commit index by the next message. */
  #learnCommit(leader: FakeNode, follower: FakeNode, rate: number): void {
    const commit = Math.min(leader.commit - Math.round((rate * ON_DISK_AFTER_MS) / 1_000), follower.last);
    follower.commit = Math.max(follower.commit, this.isCommitting ? commit : follower.commit);
    follower.applied = Math.max(follower.applied, Math.min(follower.commit, follower.durable));
  }

  /** §5.3, §5.4.2. */
  #commit(leader: FakeNode): void {
    const held = this.nodes.map((node) => (this.present.includes(node) ? node.durable : 0)).sort((a, b) => b - a);
    const onMajority = held[this.majority - 1] ?? 0;
    if (onMajority >= (leader.terms.at(-1)?.startIndex ?? 0)) leader.commit = Math.max(leader.commit, onMajority);
    leader.applied = leader.commit;
  }

  absent(id: string, absence: 'killed' | 'frozen', nowMs: number): void {
    Object.assign(this.node(id), { absence, absentSinceMs: nowMs });
    for (const node of this.present) if (node.leaderId === id) node.leaderId = null;
  }

  returned(id: string): void {
    const { leader } = this;
    const node = this.node(id);
    Object.assign(node, {
      absence: null,
      role: 'follower',
      state: 'active.follower',
      leaderId: leader?.id ?? null,
      haltedBy: null,
      receiving: null,
    });
    if (leader === undefined) return;
    node.term = leader.term;
    // Entries that no majority had give way to the leader's (§5.3).
    node.last = Math.min(node.last, leader.last);
    node.durable = node.last;
    node.commit = Math.min(node.commit, node.last);
  }

  /** It lacks entries that its leader has no longer. */
  receives(id: string, receiving: ReceivingReport): void {
    Object.assign(this.node(id), { receiving, state: 'active.installing' });
  }

  /** Stands for election in the next term, and votes for itself. */
  stands(id: string): FakeNode {
    const node = this.node(id);
    const votes = Object.fromEntries(this.nodes.map((other) => [other.id, other.id === id ? true : null]));
    const term = Math.max(...this.nodes.map((one) => one.term)) + 1;
    return Object.assign(node, { role: 'candidate', state: 'active.candidate', term, leaderId: null, votes });
  }

  /** Has the votes of all that are present, and appends an entry of its own term. */
  wins(id: string): FakeNode {
    const node = this.node(id);
    const last = node.last + 1;
    const terms = [...node.terms, { startIndex: last, term: node.term }];
    Object.assign(node, {
      role: 'leader',
      state: 'active.leader.establishing',
      leaderId: id,
      votes: null,
      last,
      terms,
    });
    for (const other of this.present) {
      if (other === node) continue;
      Object.assign(other, { role: 'follower', state: 'active.follower', term: node.term, leaderId: id, votes: null });
    }
    return node;
  }
}
