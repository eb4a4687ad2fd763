import type { LogImage } from '../log/log-image.js';
import { EMPTY_IMAGE, withRecord } from '../log/log-image.js';
import type { LogShape } from '../raft/log-shape.js';
import { lastPosition, termAt } from '../raft/log-shape.js';
import type { LogRecord, PeerMessage, TermedMessage } from '../raft/messages.js';
import { hasTerm } from '../raft/messages.js';
import type { Index, NodeId, Term } from '../raft/numbers-and-ids.js';
import { NO_INDEX, NO_TERM } from '../raft/numbers-and-ids.js';
import { hasQuorum } from '../raft/quorum.js';
import type { ReplicaState, Role } from '../raft/replica-state.js';
import type { Recovered } from '../seams/log-store.js';
import { SafetyViolation } from './safety.js';

/** The data directory that a replica starts with, and whose log counts in majorities. */
export const OWN_DIRECTORY = 'own';

/** The records that one replica's log store has confirmed as synced, and those that it was handed since. */
interface Disk {
  synced: LogImage;
  unsynced: LogRecord[];
  /** The vote of each term in which one was synced. */
  readonly votes: Map<Term, NodeId | null>;
  /** The highest last index that was synced while each term was the newest on this disk. */
  readonly lastIndex: Map<Term, Index>;
}

/**
 * Compares what replicas say with what their disks hold. A message that leaves vouches only for what its sender's store has
 * synced (P1, P15), what it takes for durable is on its disk (P13), a leader's commit index is on the disks of a majority (P18),
 * and a restart finds all that was synced.
 */
export class DurabilityChecker {
  /** By replica and data directory. */
  readonly #disks = new Map<string, Disk>();
  /** The data directory that a replica uses, where it is not its own. */
  readonly #directories = new Map<NodeId, string>();
  /** The logs on the disks that replicas had before they were emptied. */
  readonly #lost = new Map<NodeId, readonly LogShape[]>();
  readonly #seen = new Map<NodeId, { readonly raft: ReplicaState; readonly role: Role }>();

  /** The replica's data directory is new, or another one. What a majority held with the old one stays committed. */
  emptied(id: NodeId): void {
    this.#lost.set(id, [...(this.#lost.get(id) ?? []), this.#diskOf(id).synced.log]);
    this.#disks.delete(this.#keyOf(id));
  }

  /** The replica's next start is with this data directory. What it has synced in others stays there. */
  usesDirectory(id: NodeId, directory: string): void {
    this.#directories.set(id, directory);
  }

  /** A replica starts, with what it recovered: what was synced, and perhaps a part of what was being written. */
  started(id: NodeId, recovered: Recovered): void {
    const disk = this.#diskOf(id);
    let image = disk.synced;
    let isExpected = isSame(image, recovered) || isInstalled(image, recovered);
    for (const record of disk.unsynced) {
      if (isExpected) break;
      image = withRecord(image, record);
      isExpected = isSame(image, recovered) || isInstalled(image, recovered);
    }
    mustHold(isExpected, `${id} recovered ${describe(recovered)}, but its store had synced ${describe(disk.synced)}`);
    disk.synced = { ...EMPTY_IMAGE, ...recovered, closed: false };
    disk.unsynced = [];
    disk.votes.set(recovered.term, recovered.votedFor);
    disk.lastIndex.set(recovered.term, recovered.log.lastIndex);
    this.#seen.delete(id);
  }

  /** A replica's process is gone. What it had synced stays on its disk. */
  stopped(id: NodeId): void {
    this.#seen.delete(id);
  }

  /** A replica hands records to its log store. */
  wrote(id: NodeId, records: readonly LogRecord[]): void {
    this.#diskOf(id).unsynced.push(...records);
  }

  /** A sync begins. The returned function is to be called when it has succeeded: for all records, or for those of these kinds. */
  syncs(id: NodeId): (kinds?: readonly LogRecord['kind'][]) => void {
    const disk = this.#diskOf(id);
    const covered = disk.unsynced.length;
    return (kinds) => {
      const records = disk.unsynced.splice(0, covered);
      const isDone = ({ kind }: LogRecord): boolean => kinds?.includes(kind) ?? true;
      disk.unsynced.unshift(...records.filter((record) => !isDone(record)));
      for (const record of records.filter(isDone)) {
        disk.synced = withRecord(disk.synced, record);
        const { term, votedFor, log } = disk.synced;
        disk.votes.set(term, votedFor);
        disk.lastIndex.set(term, Math.max(disk.lastIndex.get(term) ?? NO_INDEX, log.lastIndex) as Index);
      }
    };
  }

  /** A message leaves a replica. */
  sends(id: NodeId, to: NodeId, message: PeerMessage): void {
    if (!hasTerm(message)) return;
    const { synced, votes, lastIndex } = this.#diskOf(id);
    const { kind, term } = message;
    mustHold(
      termVouchedFor(message) <= synced.term,
      `${id} sends ${to} ${kind} of term ${term}, and has synced term ${synced.term} (P1)`,
    );
    if (message.kind === 'vote-request' && !message.preVote) {
      mustHold(votes.get(term) === id, `${id} asks ${to} for votes in term ${term} before its own is synced (P1)`);
    }
    if (message.kind === 'vote-reply' && message.granted && !message.preVote) {
      mustHold(
        votes.get(term) === to,
        `${id} gives ${to} a vote in term ${term}, and has synced one for ${votes.get(term) ?? 'nobody'} (P1)`,
      );
    }
    if (message.kind === 'append-reply' && message.accepted) {
      const { matchIndex } = message;
      // Entries that were synced in the reply's own term count: a newer leader may have cut them since, in the same batch.
      const held = lastIndex.get(term) ?? NO_INDEX;
      mustHold(matchIndex <= held, `${id} vouches to ${to} for entry ${matchIndex}, and has synced ${held} (P15)`);
    }
  }

  /** A replica's chart moved. */
  moved(id: NodeId, role: Role, raft: ReplicaState): void {
    const before = this.#seen.get(id);
    if (before?.raft === raft && before.role === role) return;
    this.#seen.set(id, { raft, role });
    this.#checkDurable(id, raft);
    if (role !== 'leader') return;
    if (before?.role === 'leader' && before.raft.commitIndex === raft.commitIndex) return;
    const { commitIndex } = raft;
    const term = termAt(raft.log, commitIndex);
    const logsOf = (voter: NodeId): readonly LogShape[] => [
      this.#diskOf(voter, OWN_DIRECTORY).synced.log,
      ...(this.#lost.get(voter) ?? []),
    ];
    const has = (log: LogShape): boolean => log.previous.index > commitIndex || termAt(log, commitIndex) === term;
    const holders = raft.voters.filter((voter) => logsOf(voter).some(has));
    mustHold(
      hasQuorum(raft, (voter) => holders.includes(voter)),
      `${id} leads and takes entry ${commitIndex} for committed, which is synced only on ${holders.join(', ') || 'no disk'} (P18)`,
    );
  }

  #checkDurable(id: NodeId, { log }: ReplicaState): void {
    const { durableIndex } = log;
    // The log begins anew, and that is not synced yet: nothing of it is taken for durable.
    if (durableIndex < log.previous.index) return;
    const { synced } = this.#diskOf(id);
    const term = termAt(log, durableIndex);
    mustHold(
      termAt(synced.log, durableIndex) === term,
      `${id} takes entry ${durableIndex} of term ${term} for durable, and has synced up to entry ${synced.log.lastIndex} (P13)`,
    );
  }

  #diskOf(id: NodeId, directory?: string): Disk {
    const key = this.#keyOf(id, directory);
    const known = this.#disks.get(key);
    if (known !== undefined) return known;
    const disk: Disk = { synced: EMPTY_IMAGE, unsynced: [], votes: new Map(), lastIndex: new Map() };
    this.#disks.set(key, disk);
    return disk;
  }

  #keyOf(id: NodeId, directory = this.#directories.get(id) ?? OWN_DIRECTORY): string {
    return `${id}/${directory}`;
  }
}

type Held = Pick<LogImage, 'term' | 'votedFor' | 'log'>;

function isSame(a: Held, b: Held): boolean {
  const [lastA, lastB] = [lastPosition(a.log), lastPosition(b.log)];
  return a.term === b.term && a.votedFor === b.votedFor && lastA.index === lastB.index && lastA.term === lastB.term;
}

/** A peer's snapshot may be in its place before the log says more than that it is about to be. */
function isInstalled({ installing, term, votedFor }: LogImage, recovered: Recovered): boolean {
  const { previous, lastIndex } = recovered.log;
  const isThere = installing.some(({ index, term: last }) => index === previous.index && last === previous.term);
  return isThere && lastIndex === previous.index && term === recovered.term && votedFor === recovered.votedFor;
}

function describe({ term, votedFor, log }: Held): string {
  const last = lastPosition(log);
  return `term ${term}, vote ${votedFor ?? 'for nobody'}, last entry ${last.index} of term ${last.term}`;
}

/** A pre-vote is asked and granted for a term to come: nobody has it yet. */
function termVouchedFor(message: TermedMessage): Term {
  if (message.kind === 'vote-request') return message.presentTerm;
  return message.kind === 'vote-reply' && message.preVote && message.granted ? NO_TERM : message.term;
}

function mustHold(holds: boolean, what: string): void {
  if (!holds) throw new SafetyViolation(what);
}
