import type { Effect, Step } from './effects.js';
import { invariant } from './invariant.js';
import { holds, lastPosition } from './log-shape.js';
import type { LogRecord, Outgoing, PeerMessage } from './messages.js';
import type { Index } from './numbers-and-ids.js';
import { valueFor } from './numbers-and-ids.js';
import type { ReplicaState } from './replica-state.js';
import { applicableIndex } from './replica-state.js';

/**
 * Checks a step, whichever rule made it, before any of its effects is carried out. A step that breaks a law halts the node. This is
 * cheap enough for production, because only what the step changed is looked at.
 */
export function checkStep(before: ReplicaState, { state, effects, isRecovered = false }: Step): void {
  if (state !== before) {
    checkTerm(before, state);
    checkLog(before, state, isRecovered);
    if (state.votes !== before.votes) checkVotes(state);
    if (state.preVotes !== before.preVotes) checkPreVotes(before, state);
    if (state.matchIndex !== before.matchIndex) checkMatches(before, state);
    if (state.reads !== before.reads) checkReads(before, state);
  }
  checkEffects(before, state, effects);
  if (!isRecovered) checkWritten(before, state, effects);
}

/** §5.1, §5.2: in each term one vote and one leader. */
function checkTerm(before: ReplicaState, after: ReplicaState): void {
  invariant(after.term >= before.term, '§5.1: terms only grow');
  if (after.term > before.term) return;
  const { votedFor, leaderId } = before;
  invariant(votedFor === null || after.votedFor === votedFor, '§5.2: one vote in a term');
  const isSameLeader = leaderId === null || after.leaderId === null || after.leaderId === leaderId;
  invariant(isSameLeader, '§5.2: at most one leader in a term');
}

/** Figure 2: applied ≤ committed ≤ last, durable ≤ last. Only durable and last may go back. */
function checkLog(before: ReplicaState, after: ReplicaState, isRecovered: boolean): void {
  const { log, snapshot, commitIndex, lastApplied, recordedCommit } = after;
  invariant(commitIndex >= before.commitIndex, 'P17: a commit index never goes back');
  invariant(lastApplied >= before.lastApplied, 'what is applied stays applied');
  invariant(recordedCommit >= before.recordedCommit, 'a commit index that was written is never taken back');
  invariant(commitIndex <= log.lastIndex, '§5.4: what is committed is in the log');
  invariant(log.durableIndex <= log.lastIndex, 'P13: nothing is durable beyond the end of the log');
  invariant(lastApplied <= applicableIndex(after), 'P16: only what is committed and durable here is applied');
  invariant(recordedCommit <= commitIndex, 'only what is committed is written as committed');
  invariant(
    !after.needsSnapshot || after.leaderId !== after.id,
    '§7: who has no state to apply its log to does not lead',
  );
  if (log.previous !== before.log.previous) {
    invariant(log.previous.index >= before.log.previous.index, '§7: what a log has let go of does not come back');
    const isStoodFor = log.previous.index <= (snapshot?.index ?? 0);
    // One that is damaged is found to be when the node starts.
    invariant(isStoodFor || isRecovered, '§7: a snapshot stands for what a log has let go of');
  }
  if (log !== before.log) invariant(lastPosition(log).term <= after.term, '§5.1: no entry is of a term to come');
}

function checkVotes({ id, voters, votes, votedFor }: ReplicaState): void {
  const answered = Object.keys(votes);
  invariant(answered.length === 0 || votedFor === id, '§5.2: only who votes for itself counts votes');
  invariant(
    answered.every((voter) => voters.includes(voter)),
    '§5.2: only voters have votes',
  );
}

/** P3: a pre-vote changes neither term nor vote, and its answers are never counted as votes. */
function checkPreVotes(before: ReplicaState, { term, votedFor, votes, voters, preVotes }: ReplicaState): void {
  const answered = Object.keys(preVotes);
  if (answered.length === 0) return;
  invariant(term === before.term && votedFor === before.votedFor, 'P3: a pre-vote changes neither term nor vote');
  invariant(Object.keys(votes).length === 0, 'P3: answers to a pre-vote are no votes');
  invariant(
    answered.every((voter) => voters.includes(voter)),
    '§5.2: only voters have votes',
  );
}

function checkMatches(before: ReplicaState, after: ReplicaState): void {
  const { id, term, log, matchIndex, leaderId, voters } = after;
  const isSameLeadership = before.term === term && before.leaderId === id && leaderId === id;
  for (const voter in matchIndex) {
    const index = matchIndex[voter] as Index;
    invariant(voters.includes(voter), 'only what voters hold is counted');
    invariant(index <= log.lastIndex, 'nobody holds what was never appended');
    const known = isSameLeadership ? before.matchIndex[voter] : undefined;
    invariant(known === undefined || index >= known, 'P14: a match index never goes back');
  }
  invariant(
    (valueFor(matchIndex, id) ?? 0) <= log.durableIndex,
    'P18: a leader counts its own copy only once it is durable',
  );
}

function checkReads(before: ReplicaState, { reads, commitIndex }: ReplicaState): void {
  invariant(reads.current >= before.reads.current, 'P33: no read round is used twice');
  const newest = reads.pending.at(-1);
  invariant((newest?.round ?? 0) <= reads.current, 'P33: reads wait for rounds that have begun');
  invariant((newest?.readIndex ?? 0) <= commitIndex, 'P34: a read sees only what is committed');
  if (reads.echoed === before.reads.echoed) return;
  for (const round of Object.values(reads.echoed))
    invariant(round <= reads.current, 'P33: nobody answers a round before it begins');
}

/** P15, P16: what is written, applied and said is what the state has. */
function checkEffects(before: ReplicaState, after: ReplicaState, effects: readonly Effect[]): void {
  for (const effect of effects) {
    if (effect.kind === 'apply')
      invariant(effect.upTo <= applicableIndex(after), 'P16: only what is committed and durable here is applied');
    if (effect.kind === 'answer') checkUnsyncedAnswer(after, effect.message);
    if (effect.kind !== 'write') continue;
    for (const record of effect.records) checkRecord(before, after, record);
    for (const outgoing of effect.then) checkAnswer(after, outgoing);
  }
}

/** P1: what is new in term, vote and log is written. */
function checkWritten(before: ReplicaState, after: ReplicaState, effects: readonly Effect[]): void {
  const isVoteKept = after.term === before.term && after.votedFor === before.votedFor;
  const isGrown = after.log.lastIndex > before.log.lastIndex;
  const isAnew = after.log.previous !== before.log.previous && !holds(before.log, after.log.previous);
  if (isVoteKept && !isGrown && !isAnew) return;
  let hasVote = false;
  let beginning: Index | undefined;
  let lastIndex: Index | undefined;
  for (const effect of effects) {
    if (effect.kind !== 'write') continue;
    for (const record of effect.records) {
      if (record.kind === 'vote') hasVote = record.votedFor === after.votedFor;
      if (record.kind === 'entries') lastIndex = record.entries.at(-1)?.index;
      if (record.kind !== 'installed') continue;
      beginning = record.snapshot.index;
      lastIndex = beginning;
    }
  }
  invariant(isVoteKept || hasVote, 'P1: a term or a vote that is new is written');
  invariant(!isAnew || beginning === after.log.previous.index, '§7: that a log begins anew is written');
  invariant(!isGrown || lastIndex === after.log.lastIndex, 'whatever the log grows by is written');
}

function checkRecord(before: ReplicaState, after: ReplicaState, record: LogRecord): void {
  if (record.kind === 'vote') return invariant(record.term === after.term, 'P1: a vote is written with its term');
  if (record.kind === 'truncation')
    return invariant(record.from > before.commitIndex, '§5.4: what is committed is never overwritten');
  if (record.kind === 'installing' && before.needsSnapshot)
    return invariant(record.snapshot.index >= before.log.previous.index, '§7: a log goes on behind its snapshot');
  if (record.kind === 'installing' || record.kind === 'installed')
    return invariant(record.snapshot.index > before.commitIndex, 'P25: a snapshot never replaces what is committed');
  if (record.kind === 'commit')
    return invariant(record.index > before.recordedCommit, 'a commit index is written only where it is news');
}

/** It does not wait for entries or for a vote that is given now. */
function checkUnsyncedAnswer({ term, log }: ReplicaState, message: PeerMessage): void {
  if (message.kind === 'vote-reply') {
    invariant(!message.granted || message.preVote, 'P1: whoever is told of a vote is told when it is durable');
    invariant(message.granted || message.term === term, 'P4: a refusal carries the present term');
  }
  if (message.kind !== 'append-reply') return;
  invariant(message.term === term, '§5.1: an answer carries the present term');
  if (message.accepted) invariant(message.matchIndex <= log.durableIndex, 'P15: only what is durable is vouched for');
}

function checkAnswer({ term, votedFor, log }: ReplicaState, { to, message }: Outgoing): void {
  if (message.kind === 'vote-reply' && message.granted)
    invariant(votedFor === to, '§5.2: whoever is told of a vote has it');
  if (message.kind !== 'append-reply') return;
  invariant(message.term === term, '§5.1: an answer carries the present term');
  if (message.accepted) invariant(message.matchIndex <= log.lastIndex, 'P15: only what is held is vouched for');
}
