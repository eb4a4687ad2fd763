import { noteProposeReply, noteReadReply, refuseProposal, refuseRead } from './clients.js';
import { haltAsToldTo, noteHashReply } from './comparing.js';
import type { Effect, Step, Surroundings } from './effects.js';
import { notify, unchanged } from './effects.js';
import { answerVoteRequest, recordVote } from './elections.js';
import { acceptAppend, acceptNothing, askForSnapshot, followLeader, hearsLiveLeader } from './following.js';
import { beginInstall } from './installing.js';
import { invariant } from './invariant.js';
import { noteAppendReply, propose } from './leading.js';
import { answerRead } from './lease.js';
import type { PeerMessage } from './messages.js';
import { hasTerm } from './messages.js';
import type { NodeId, Term } from './numbers-and-ids.js';
import { LOG_START } from './numbers-and-ids.js';
import { noteHalted } from './peers.js';
import { answerPreVote, recordPreVote } from './pre-vote.js';
import type { ReplicaState } from './replica-state.js';
import { changed } from './replica-state.js';

/** A peer's message, and when it was read (monotonic ms). */
export interface Received<Message extends PeerMessage = PeerMessage> {
  readonly from: NodeId;
  readonly message: Message;
  readonly atMs: number;
}

type MessageOf<Kind extends PeerMessage['kind']> = Extract<PeerMessage, { kind: Kind }>;

type MessageRule<Message extends PeerMessage> = (
  state: ReplicaState,
  received: Received<Message>,
  surroundings: Surroundings,
) => Step;

/** Rules by which a role answers each kind of message. A kind that is missing is ignored. */
export type MessageRules = {
  readonly [Kind in PeerMessage['kind']]?: MessageRule<MessageOf<Kind>>;
};

const OF_EVERY_ROLE: MessageRules = {
  'vote-request': (state, { from, message, atMs }) =>
    message.preVote ? answerPreVote(state, from, message, atMs) : answerVoteRequest(state, from, message),
  'propose-request': (state, { from, message }) => refuseProposal(state, { from, requestId: message.requestId }),
  'propose-reply': (state, { message }) => noteProposeReply(state, message),
  'read-request': (state, { from, message }) => refuseRead(state, { from, requestId: message.requestId }),
  'read-reply': (state, { message }) => noteReadReply(state, message),
  'halt-notice': (state, { from, message }) => noteHalted(state, from, message.reason),
};

export const FOLLOWER_RULES: MessageRules = {
  ...OF_EVERY_ROLE,
  append: (state, { from, message, atMs }) => acceptAppend(state, from, message, atMs),
  'hash-request': (state, { message: { index } }) => ({ state, effects: [{ kind: 'hash', index }] }),
  divergence: (state, { message }) => haltAsToldTo(state, message),
  install: (state, { from, message, atMs }) => beginInstall(state, from, message, atMs),
};

/** The rules for a node that asks before an election. As with a candidate, an append of its own term makes it a follower. */
export const PRE_CANDIDATE_RULES: MessageRules = {
  ...OF_EVERY_ROLE,
  'vote-reply': (state, { from, message }) => recordPreVote(state, from, message),
};

/** An append of the candidate's own term makes it a follower, so that no rule for it stands here. */
export const CANDIDATE_RULES: MessageRules = {
  ...OF_EVERY_ROLE,
  'vote-reply': (state, { from, message }) => recordVote(state, from, message),
};

export const LEADER_RULES: MessageRules = {
  ...OF_EVERY_ROLE,
  // §5.2: a second leader of the same term cannot be. The rule's invariant says so, and halts the node.
  append: (state, { from, message, atMs }) => acceptAppend(state, from, message, atMs),
  install: (state, { from, message, atMs }) => beginInstall(state, from, message, atMs),
  'append-reply': (state, { from, message }) => noteAppendReply(state, from, message),
  'hash-reply': (state, { from, message }) => noteHashReply(state, from, message),
  'propose-request': (state, { from, message }, surroundings) => propose(state, { ...message, from }, surroundings),
  'read-request': (state, { from, message }, surroundings) => answerRead(state, { ...message, from }, surroundings),
};

/** P36: a vote that waits for a disk that hangs would come too late, and bind this node to a candidate that has given up. */
export const STALLED_RULES: MessageRules = {
  ...FOLLOWER_RULES,
  'vote-request': unchanged,
  append: (state, { from, message, atMs }) =>
    state.needsSnapshot ? askForSnapshot(state, from, message, atMs) : acceptAppend(state, from, message, atMs),
  install: (state, { from, atMs }) => followLeader(state, from, atMs),
};

/** A full disk still has room for terms and votes. */
export const FULL_RULES: MessageRules = {
  ...FOLLOWER_RULES,
  append: (state, { from, message, atMs }) => acceptNothing(state, from, message, atMs),
  install: (state, { from, atMs }) => followLeader(state, from, atMs),
};

/** Nothing can be applied to a state that is not there. */
export const NEEDING_SNAPSHOT_RULES: MessageRules = {
  ...FOLLOWER_RULES,
  append: (state, { from, message, atMs }) => askForSnapshot(state, from, message, atMs),
};

/**
 * A peer's message, from the gate for terms (§5.1) to the rule that the role has for it: refused, dropped, or delivered, in
 * the message's own term where that is newer. `rules` are those of the state that the
 * node is in by then: from a leader or a candidate the chart goes to follower first, and every other state stays.
 */
export function receive(
  rules: MessageRules,
  state: ReplicaState,
  received: Received,
  surroundings: Surroundings,
): Step {
  const { from, message, atMs } = received;
  switch (admit(state, message, atMs)) {
    case 'deliver':
      return deliver(rules, state, received, surroundings);
    case 'adopt': {
      const adopted = adoptTermOf(state, message);
      const delivered = deliver(rules, adopted.state, received, surroundings);
      return { state: delivered.state, effects: inOneWrite([...adopted.effects, ...delivered.effects]) };
    }
    case 'refuse':
      return refuseOldTerm(state, from, message);
    case 'drop':
      return unchanged(state);
  }
}

/** Whether a message makes a follower of whoever receives it, because its term is newer (§5.1). */
export function adoptsTerm(state: ReplicaState, { message, atMs }: Received): boolean {
  return admit(state, message, atMs) === 'adopt';
}

/** §5.2: whether a candidate hears from the leader of its own term, which may tell it to install a snapshot (P10). */
export function hearsLeaderOfTerm(state: ReplicaState, { message, atMs }: Received): boolean {
  const isOfLeader = message.kind === 'append' || message.kind === 'install';
  return isOfLeader && admit(state, message, atMs) === 'deliver';
}

/** To the role's rule, past the gate. */
export function deliver(
  rules: MessageRules,
  state: ReplicaState,
  received: Received,
  surroundings: Surroundings,
): Step {
  const decide = rules[received.message.kind] as MessageRule<PeerMessage> | undefined;
  return decide === undefined ? unchanged(state) : decide(state, received, surroundings);
}

function adoptTermOf(state: ReplicaState, message: PeerMessage): Step {
  return hasTerm(message) ? adoptTerm(state, message.term) : unchanged(state);
}

/** The verdict on a peer's message before any role sees it. */
export type Verdict = 'deliver' | 'adopt' | 'refuse' | 'drop';

/**
 * The one gate for terms (§5.1): a role sees only messages of its own term, and pre-votes.
 *
 * A vote request while a live leader is heard is refused, and its term is not taken over (§6, thesis §4.2.3): a server that
 * could not hear the leader for a while would otherwise depose it, unless the leader itself asked for the election. Pre-votes
 * (thesis §9.6) carry the term that an election would have: only their rejections tell of a term that exists (P3, P4).
 */
export function admit(state: ReplicaState, message: PeerMessage, atMs: number): Verdict {
  if (!hasTerm(message)) return 'deliver';
  const newer = message.term > state.term;
  if (isAboutLaterTerm(message)) return 'deliver';
  if (message.kind === 'vote-request' && !message.transfer && hearsLiveLeader(state, atMs)) return 'refuse';
  if (newer) return 'adopt';
  if (message.term === state.term) return 'deliver';
  return message.kind === 'vote-request' || message.kind === 'append' ? 'refuse' : 'drop';
}

/** A pre-vote is asked and granted in a term that nobody may have taken. */
function isAboutLaterTerm(message: PeerMessage): boolean {
  if (message.kind === 'vote-request') return message.preVote;
  return message.kind === 'vote-reply' && message.preVote && message.granted;
}

/** A term that is adopted and whatever is written with it take one sync: a vote in that term says all that the term's own record does. */
function inOneWrite(effects: readonly Effect[]): Effect[] {
  const isWrite = (effect: Effect): effect is Write => effect.kind === 'write';
  const writes = effects.filter(isWrite);
  const [first] = writes;
  if (first === undefined || writes.length === 1) return [...effects];
  const records = writes.flatMap((write) => write.records);
  const lastVote = records.findLastIndex(({ kind }) => kind === 'vote');
  const kept = records.filter(({ kind }, at) => kind !== 'vote' || at === lastVote);
  const joined: Effect = { kind: 'write', records: kept, then: writes.flatMap((write) => write.then) };
  return effects
    .filter((effect) => effect === first || !isWrite(effect))
    .map((effect) => (effect === first ? joined : effect));
}

type Write = Extract<Effect, { kind: 'write' }>;

/** §5.1: a newer term makes a follower of whoever learns of it. It is on disk before anything that depends on it leaves (P1). */
export function adoptTerm(state: ReplicaState, term: Term): Step {
  invariant(term > state.term, '§5.1: terms only grow');
  return {
    state: changed(state, { term, votedFor: null, votes: {}, preVotes: {}, leaderId: null }),
    effects: [
      { kind: 'write', records: [{ kind: 'vote', term, votedFor: null }], then: [] },
      notify({ type: 'leader.changed', leaderId: null, term }),
    ],
  };
}

/** §5.1: a request of an older term is answered with ours, so that its sender catches up. */
export function refuseOldTerm(state: ReplicaState, from: NodeId, message: PeerMessage): Step {
  const { term } = state;
  switch (message.kind) {
    case 'vote-request': {
      const { preVote } = message;
      return reply(state, from, { kind: 'vote-reply', term, granted: false, preVote });
    }
    case 'append': {
      const { readRound, previous } = message;
      return reply(state, from, {
        kind: 'append-reply',
        term,
        accepted: false,
        rejectedIndex: previous.index,
        lastPossibleMatch: LOG_START,
        readRound,
      });
    }
    default:
      return unchanged(state);
  }
}

function reply(state: ReplicaState, to: NodeId, message: PeerMessage): Step {
  return { state, effects: [{ kind: 'answer', to, message }] };
}
