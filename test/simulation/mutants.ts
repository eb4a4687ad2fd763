import { enqueueActions } from 'xstate';
import { replicaMachine } from '../../machines/index.js';
import { perform } from '../../machines/perform.js';
import type { ReplicaContext } from '../../machines/replica-context.js';
import { noteLeaderDurable, quorumIndex, withApply } from '../../src/raft/commit.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { answerVoteRequest } from '../../src/raft/election.js';
import { noteAppendReply } from '../../src/raft/lead.js';

/** Charts with one law taken out each: what the simulation is for is to notice. */

type Rule<Params> = (context: ReplicaContext, params: Params) => Step;

function running<Params>(rule: Rule<Params>) {
  return enqueueActions(({ context, enqueue }, params: Params) => {
    perform(enqueue as never, context as ReplicaContext, () => rule(context as ReplicaContext, params));
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
