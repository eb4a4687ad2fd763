import { QuorateError } from '../errors/quorate-error.js';
import type { Notice } from '../raft/effects.js';
import type { Index } from '../raft/numbers-and-ids.js';
import { valueFor } from '../raft/numbers-and-ids.js';
import { hasQuorum, quorumSize } from '../raft/quorum.js';
import type { Installing, ReplicaState } from '../raft/replica-state.js';
import type { ReadCall } from './pending-reads.js';

/** A question to the leader whose answer was lost is asked again after this long. */
const ASK_AGAIN_MS = 1_000;

/**
 * Whether this node's state machine holds what was committed when the node last found a leader (P48). After a start, and after
 * each loss of the leader, it asks the leader by a linearizable read how far the log is committed: an append says only what the
 * leader knows, and a new leader knows less than what was acknowledged before it.
 */
export class Readiness {
  readonly #read: (request: ReadCall) => void;
  #hasLeader = false;
  /** Changes of the leader so far: a question that was asked before the last one is of no interest any more. */
  #changes = 0;
  /** The index that must be applied; undefined until the leader has said so. */
  #target: Index | undefined;

  constructor(read: (request: ReadCall) => void) {
    this.#read = read;
  }

  notice(notice: Notice): void {
    if (notice.type === 'leader.changed') {
      this.#hasLeader = notice.leaderId !== null;
      this.#target = undefined;
      this.#changes += 1;
      if (this.#hasLeader) this.#ask(this.#changes);
    } else if (notice.type === 'node.halted') {
      this.#hasLeader = false;
    }
  }

  /** CATCHING_UP, and how far it is; undefined where it has caught up. */
  whyBehind({ lastApplied, leaderId, installing, needsSnapshot }: ReplicaState): QuorateError | undefined {
    if (installing !== null) return catchingUp(receivingWords(installing));
    if (needsSnapshot) return catchingUp(`its own snapshot is damaged, and it waits for one of leader ${leaderId}`);
    if (this.#target === undefined) return catchingUp(`leader ${leaderId} has not confirmed yet how much is committed`);
    if (lastApplied >= this.#target) return undefined;
    return catchingUp(`${lastApplied} of ${this.#target} log entries are applied`);
  }

  /** Asks until this leader has answered. Only the answer to this very question counts: another may be a deposed leader's. */
  #ask(change: number): void {
    const isCurrent = (): boolean => change === this.#changes && this.#hasLeader && this.#target === undefined;
    const confirmed = (readIndex: Index): void => {
      if (isCurrent()) this.#target = readIndex;
    };
    const done = (error: QuorateError | undefined): void => {
      if (isCurrent() && error?.code !== 'QUORATE_CLOSED' && error?.code !== 'QUORATE_HALTED') this.#ask(change);
    };
    this.#read({ timeoutMs: ASK_AGAIN_MS, signal: undefined, confirmed, done });
  }
}

/** A node that receives a snapshot lacks entries that are committed, even where it held what the leader last spoke of. */
function receivingWords({ from, received, bytes }: Installing): string {
  if (received >= bytes) return `it takes in the snapshot that ${from} has sent`;
  return `it receives a snapshot from ${from}: ${Math.floor((100 * received) / bytes)} % of ${bytes} bytes`;
}

function catchingUp(how: string): QuorateError {
  return new QuorateError('QUORATE_CATCHING_UP', `catching up, ${how}`);
}

/** One sentence that says why nobody leads, as far as this node can see; undefined where somebody does. */
export function whyNoLeader(state: ReplicaState): string | undefined {
  if (state.leaderId !== null) return undefined;
  const noQuorum = whyNoQuorum(state);
  if (noQuorum !== undefined) return noQuorum;
  const granted = state.voters.filter((voter) => valueFor(state.votes, voter) === true);
  const refused = state.voters.filter((voter) => valueFor(state.votes, voter) === false);
  return `no leader yet: term ${state.term} has votes of ${list(granted)}, refusals of ${list(refused)}; ${quorumSize(state)} votes are needed`;
}

/**
 * One sentence that says which voters a majority lacks: to commit, where this node leads; to elect a leader, where none is
 * known. Undefined where enough are there, and where another node leads: that one knows better.
 */
export function whyNoQuorum(state: ReplicaState): string | undefined {
  if (state.leaderId === null) return whyNobodyCanWin(state);
  return state.leaderId === state.id ? whyNothingCommits(state) : undefined;
}

function whyNobodyCanWin(state: ReplicaState): string | undefined {
  const unreachable = Object.values(state.peers).filter((peer) => !peer.link.open);
  if (hasQuorum(state, (voter) => valueFor(state.peers, voter)?.link.open !== false)) return undefined;
  const reachable = state.voters.length - unreachable.length;
  const who = unreachable.map((peer) => `${peer.id} at ${peer.address} (${peer.link.reason})`).join(', ');
  return `no quorum: ${quorumSize(state)} of ${state.voters.length} voters are needed and ${reachable} can be reached; unreachable: ${who}`;
}

function whyNothingCommits(state: ReplicaState): string | undefined {
  const silent = Object.values(state.peers).filter((peer) => peer.status === 'down');
  if (hasQuorum(state, (voter) => valueFor(state.peers, voter)?.status !== 'down')) return undefined;
  const answering = state.voters.length - silent.length;
  const who = silent.map((peer) => `${peer.id} at ${peer.address}`).join(', ');
  return `no quorum: ${quorumSize(state)} of ${state.voters.length} voters must answer and ${answering} do; down: ${who}`;
}

function list(voters: readonly string[]): string {
  return voters.length === 0 ? 'nobody' : voters.join(', ');
}
