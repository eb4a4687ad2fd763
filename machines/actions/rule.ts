import type { ActionFunction, AnyActorRef } from 'xstate';
import { assertEvent, enqueueActions } from 'xstate';
import type { ApplierEvent } from '../../actors/applier-events.js';
import type { ElectionManagerEvent, HeartbeatManagerEvent } from '../../actors/events.js';
import type { ReplicatorEvent } from '../../actors/replicator-events.js';
import type { SnapshotInstallerEvent } from '../../actors/snapshot-installer.js';
import type { HeldMessage } from '../../actors/write-group.js';
import { checkStep } from '../../src/raft/check-step.js';
import type { Effect, Notice, Step, Surroundings } from '../../src/raft/effects.js';
import { told } from '../../src/raft/effects.js';
import type { Outgoing } from '../../src/raft/messages.js';
import { valueFor } from '../../src/raft/numbers-and-ids.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { MOST_UNSYNCED_BYTES } from '../../src/seams/log-store.js';
import type { EventOf, InstallNeed, ReplicaContext, ReplicaEvent, ReplicaEventType, RuleFailure } from '../context.js';

/** An action of the replica's chart. */
export type ReplicaAction<Params extends object | undefined = undefined> = ActionFunction<
  ReplicaContext,
  ReplicaEvent,
  ReplicaEvent,
  Params,
  never,
  never,
  never,
  never,
  Notice
>;

/** A pure rule, as an action asks it: from the state and the event to the next state and what is to be done. */
export type Decide<Event> = (state: ReplicaState, event: Event, surroundings: Surroundings) => Step;

/**
 * The action that asks one rule and carries out what it decides. `types` names the events that the rule takes: another one is
 * a mistake in the chart, and halts the node.
 */
export function rule<Type extends ReplicaEventType>(
  types: Type | readonly Type[],
  decide: Decide<EventOf<Type>>,
): ReplicaAction {
  return action(({ context, event, enqueue }) => {
    carryOutEffects(enqueue, context, () => {
      assertEvent(event, types);
      return decide(context.state, event as unknown as EventOf<Type>, surroundingsOf(context));
    });
  });
}

/** Like `rule`, for a rule that needs no event: it is asked where a state is entered or left, for example. */
export function ruleOfState(decide: (state: ReplicaState, surroundings: Surroundings) => Step): ReplicaAction {
  return action(({ context, enqueue }) => {
    carryOutEffects(enqueue, context, () => decide(context.state, surroundingsOf(context)));
  });
}

/** The action that tells the node's surroundings of an event. */
export function notice<Type extends ReplicaEventType>(
  type: Type,
  make: (event: EventOf<Type>) => Notice,
): ReplicaAction {
  return rule(type, (state, event) => told(state, make(event)));
}

type Collect<Params extends object | undefined> = Parameters<
  typeof enqueueActions<ReplicaContext, ReplicaEvent, Params, ReplicaEvent, never, never, never, never, Notice>
>[0];

/** `enqueueActions` with the types of the replica's chart. */
export function action<Params extends object | undefined = undefined>(collect: Collect<Params>): ReplicaAction<Params> {
  return enqueueActions(collect);
}

function surroundingsOf({ seams }: ReplicaContext): Surroundings {
  const { clock } = seams;
  return { wallMs: clock.wallNow(), nowMs: clock.now(), isDiskBehind: seams.log.unsyncedBytes > MOST_UNSYNCED_BYTES };
}

/** The part of XState's `enqueue` that carries out effects. */
interface Enqueue {
  (action: () => void): void;
  assign(change: Partial<Pick<ReplicaContext, 'state' | 'haltedBy'>>): void;
  emit(notice: Notice): void;
  raise(event: RuleFailure | InstallNeed): void;
  sendTo(target: 'applier', event: ApplierEvent): void;
  sendTo(target: 'snapshotInstaller', event: SnapshotInstallerEvent): void;
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
  } catch (thrown) {
    halt(enqueue, context, thrown instanceof Error ? thrown : new Error(String(thrown)));
    return;
  }
  if (step.state !== context.state) enqueue.assign({ state: step.state });
  for (const effect of step.effects) carryOut(enqueue, context, step.state, effect);
}

/** The chart halts only once it has entered the state that it goes to: until then what follows knows that it will. */
function halt(enqueue: Enqueue, context: ReplicaContext, error: Error): void {
  enqueue.assign({ haltedBy: context.haltedBy ?? error });
  enqueue.raise({ type: 'rule.failed', error });
}

function carryOut(enqueue: Enqueue, context: ReplicaContext, after: ReplicaState, effect: Effect): void {
  switch (effect.kind) {
    case 'write': {
      const then = effect.then.flatMap((outgoing) => withOutlets(context, outgoing));
      enqueue(() => context.logWriter.write(effect.records, then));
      break;
    }
    case 'answer': {
      for (const held of withOutlets(context, effect)) enqueue(() => context.logWriter.answer(held));
      break;
    }
    case 'send': {
      const outlet = valueFor(context.outlets, effect.to);
      if (outlet !== undefined) enqueue(() => outlet.send(effect.message));
      break;
    }
    case 'replicate':
      toReplicators(enqueue, context, { type: 'log.grew', leader: after });
      break;
    case 'beat':
      toReplicators(enqueue, context, { type: 'beat', leader: after });
      break;
    case 'ask-for-round':
      toReplicators(enqueue, context, { type: 'round.began', leader: after });
      break;
    case 'first-answer':
      enqueue.sendTo(context.managers.heartbeatManager, { type: 'peer.answered', peer: effect.peer });
      break;
    case 'reply-for-replicator':
      toReplicator(enqueue, context, after, effect);
      break;
    case 'vote-granted':
      enqueue.sendTo(context.managers.electionManager, { type: 'vote.granted' });
      break;
    case 'leader-gone':
      enqueue.sendTo(context.managers.electionManager, { type: 'leader.gone', rank: effect.rank });
      break;
    case 'apply':
      enqueue.sendTo('applier', { type: 'apply.allowed', upTo: effect.upTo });
      break;
    case 'hash':
      enqueue.sendTo('applier', { type: 'hash.asked', index: effect.index });
      break;
    case 'halt':
      halt(enqueue, context, effect.error);
      break;
    case 'trim':
      enqueue(() => context.logWriter.trim(effect.upTo));
      break;
    case 'install':
      enqueue.sendTo('snapshotInstaller', { type: 'install.ordered', order: effect.order });
      enqueue.raise({ type: 'install.began' });
      break;
    case 'install-over':
      enqueue.sendTo('snapshotInstaller', { type: 'install.off' });
      enqueue.raise({ type: 'install.over' });
      break;
    case 'pause-applying':
      enqueue.sendTo('applier', { type: 'apply.paused' });
      break;
    case 'restore':
      enqueue.sendTo('applier', { type: 'state.restore', snapshot: effect.snapshot });
      break;
    case 'notify':
      enqueue.emit(effect.notice);
      break;
  }
}

type ReplyForReplicator = Extract<Effect, { kind: 'reply-for-replicator' }>;

function toReplicator(
  enqueue: Enqueue,
  { replicators }: ReplicaContext,
  leader: ReplicaState,
  { peer, reply }: ReplyForReplicator,
): void {
  const replicator = valueFor(replicators, peer);
  if (replicator === undefined) return;
  if (reply.accepted) enqueue.sendTo(replicator, { type: 'append.accepted', reply, leader });
  else enqueue.sendTo(replicator, { type: 'append.rejected', reply, leader });
}

function toReplicators(enqueue: Enqueue, { replicators }: ReplicaContext, event: ReplicatorEvent): void {
  for (const replicator of Object.values(replicators)) enqueue.sendTo(replicator, event);
}

function withOutlets({ outlets }: ReplicaContext, { to, message }: Outgoing): HeldMessage[] {
  const outlet = valueFor(outlets, to);
  return outlet === undefined ? [] : [{ outlet, message }];
}
