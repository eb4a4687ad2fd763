import { enqueueActions } from 'xstate';
import { carryOutEffects } from '../../machines/actions/carry-out-effects.js';
import type { ReplicaContext } from '../../machines/context.js';
import { replicaMachine } from '../../machines/index.js';
import { advanceCommit, noteLeaderDurable, noteMatch, quorumIndex, withApply } from '../../src/raft/commit.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { answerVoteRequest } from '../../src/raft/election.js';
import { acceptAppend } from '../../src/raft/follow.js';
import { noteAppendReply } from '../../src/raft/lead.js';

/** Charts with one law taken out each: what the simulation is for is to notice. */

type Rule<Params> = (context: ReplicaContext, params: Params) => Step;

function running<Params>(rule: Rule<Params>) {
  return enqueueActions(({ context, enqueue }, params: Params) => {
    carryOutEffects(enqueue as never, context as ReplicaContext, () => rule(context as ReplicaContext, params));
  }) as never;
}

/** §5.4.2 taken out: whatever a majority holds is committed, of whichever term. */
export const withoutOwnTermRule = replicaMachine.provide({
  actions: {
    noteAppendReply: running((context, { from, message }: { from: string; message: never }) => {
      return commitAnything(noteAppendReply(context.raft, from, message));
    }),
    noteLeaderDurable: running((context, { written }: { written: never }) => {
      return commitAnything(noteLeaderDurable(context.raft, written));
    }),
  },
});

/** P1 taken out: a vote leaves before it is on disk. */
export const withoutVoteSync = replicaMachine.provide({
  actions: {
    answerVoteRequest: running((context, { from, message }: { from: string; message: never }) => {
      const step = answerVoteRequest(context.raft, from, message);
      return { state: step.state, effects: step.effects.flatMap(atOnce) };
    }),
  },
});

/** §5.1 taken out: every message reaches its role, whatever its term. */
export const withoutTermGate = replicaMachine.provide({
  guards: { admits: (_, { verdict }: { verdict: string }) => verdict === 'deliver' },
});

/** P15 taken out: an acknowledgement that writes nothing itself does not wait for what was written before it. */
export const withoutDoorForMessages = replicaMachine.provide({
  actions: {
    acceptAppend: running((context, { from, message, atMs }: { from: string; message: never; atMs: number }) => {
      const step = acceptAppend(context.raft, from, message, atMs);
      const early = (effect: Effect) =>
        effect.kind === 'write' && effect.records.length === 0 ? atOnce(effect) : [effect];
      return { state: step.state, effects: step.effects.flatMap(early) };
    }),
  },
});

/** P18 taken out: a leader counts its own copy of an entry before its disk has it. */
export const withoutOwnSync = replicaMachine.provide({
  actions: {
    noteAppendReply: running((context, { from, message }: { from: string; message: never }) => {
      return countOwnCopy(noteAppendReply(context.raft, from, message));
    }),
    noteLeaderDurable: running((context, { written }: { written: never }) => {
      return countOwnCopy(noteLeaderDurable(context.raft, written));
    }),
  },
});

function countOwnCopy(step: Step): Step {
  const counted = advanceCommit(noteMatch(step.state, step.state.id, step.state.log.lastIndex));
  const committed = withApply(step.state, counted);
  return { state: committed.state, effects: [...step.effects, ...committed.effects] };
}

function commitAnything(step: Step): Step {
  const commitIndex = quorumIndex(step.state);
  if (commitIndex <= step.state.commitIndex) return step;
  const committed = withApply(step.state, { ...step.state, commitIndex });
  return { state: committed.state, effects: [...step.effects, ...committed.effects] };
}

function atOnce(effect: Effect): readonly Effect[] {
  if (effect.kind !== 'write') return [effect];
  const sent = effect.then.map((outgoing): Effect => ({ kind: 'send', ...outgoing }));
  return [...sent, { ...effect, then: [] }];
}
