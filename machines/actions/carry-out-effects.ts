import type { AnyActorRef } from 'xstate';
import type { ApplierEvent } from '../../actors/applier.js';
import type { HeldMessage } from '../../actors/log-writer.js';
import type { ElectionManagerEvent, HeartbeatManagerEvent } from '../../actors/manager-events.js';
import type { ReplicatorEvent } from '../../actors/replicator.js';
import type { Effect, Step } from '../../src/raft/effects.js';
import { checkStep } from '../../src/raft/invariants.js';
import { valueFor } from '../../src/raft/kinds.js';
import type { Outgoing } from '../../src/raft/messages.js';
import type { Notice } from '../../src/raft/notices.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import type { ReplicaContext } from '../context.js';
import type { RuleFailure } from '../events.js';

/** The part of XState's `enqueue` that carries out effects. */
interface Enqueue {
  (action: () => void): void;
  assign(change: Pick<ReplicaContext, 'state'>): void;
  emit(notice: Notice): void;
  raise(event: RuleFailure): void;
  sendTo(target: 'applier', event: ApplierEvent): void;
  sendTo(target: AnyActorRef, event: ReplicatorEvent | ElectionManagerEvent | HeartbeatManagerEvent): void;
}

/**
 * Where a rule's decision becomes deeds: its state is assigned, its effects go to the actors that they are for, in order.
 * A rule that throws has met a state which nobody foresaw, and one whose step breaks a law has made one: nothing of it is
 * done, and the node halts.
 */
export function carryOutEffects(enqueue: Enqueue, context: ReplicaContext, rule: () => Step): void {
  let step: Step;
  try {
    step = rule();
    checkStep(context.state, step);
  } catch (error) {
    enqueue.raise({ type: 'rule.failed', error: error instanceof Error ? error : new Error(String(error)) });
    return;
  }
  if (step.state !== context.state) enqueue.assign({ state: step.state });
  for (const effect of step.effects) carryOut(enqueue, context, step.state, effect);
}

function carryOut(enqueue: Enqueue, context: ReplicaContext, leader: ReplicaState, effect: Effect): void {
  switch (effect.kind) {
    case 'write': {
      const then = effect.then.flatMap((outgoing) => waiting(context, outgoing));
      enqueue(() => context.logWriter.write(effect.records, then));
      break;
    }
    case 'send': {
      const outlet = valueFor(context.outlets, effect.to);
      if (outlet !== undefined) enqueue(() => outlet.send(effect.message));
      break;
    }
    case 'replicate':
      toReplicators(enqueue, context, { type: 'log.grew', leader });
      break;
    case 'beat':
      toReplicators(enqueue, context, { type: 'beat', leader });
      break;
    case 'ask-for-round':
      toReplicators(enqueue, context, { type: 'round.began', leader });
      break;
    case 'acknowledged':
      enqueue.sendTo(context.managers.heartbeatManager, { type: 'peer.acknowledged', peer: effect.peer });
      break;
    case 'answered':
      passOn(enqueue, context, leader, effect);
      break;
    case 'vote-granted':
      enqueue.sendTo(context.managers.electionManager, { type: 'vote.granted' });
      break;
    case 'apply':
      enqueue.sendTo('applier', { type: 'apply.allowed', upTo: effect.upTo });
      break;
    case 'notify':
      enqueue.emit(effect.notice);
      break;
  }
}

type Answered = Extract<Effect, { kind: 'answered' }>;

function passOn(
  enqueue: Enqueue,
  { replicators }: ReplicaContext,
  leader: ReplicaState,
  { peer, reply }: Answered,
): void {
  const replicator = valueFor(replicators, peer);
  if (replicator === undefined) return;
  if (reply.accepted) enqueue.sendTo(replicator, { type: 'append.accepted', reply, leader });
  else enqueue.sendTo(replicator, { type: 'append.rejected', reply, leader });
}

function toReplicators(enqueue: Enqueue, { replicators }: ReplicaContext, event: ReplicatorEvent): void {
  for (const replicator of Object.values(replicators)) enqueue.sendTo(replicator, event);
}

function waiting({ outlets }: ReplicaContext, { to, message }: Outgoing): HeldMessage[] {
  const outlet = valueFor(outlets, to);
  return outlet === undefined ? [] : [{ outlet, message }];
}
