import type { ActionFunction } from 'xstate';
import { assertEvent, enqueueActions } from 'xstate';
import type { Step, Surroundings } from '../../src/raft/effects.js';
import type { Notice } from '../../src/raft/notices.js';
import type { ReplicaState } from '../../src/raft/replica-state.js';
import { MOST_UNSYNCED_BYTES } from '../../src/seams/log-store.js';
import type { ReplicaContext } from '../context.js';
import type { EventOf, ReplicaEvent, ReplicaEventType } from '../events.js';
import { carryOutEffects } from './carry-out-effects.js';

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

/** As `rule`, for one that needs no event: it is asked where a state is entered or left, say. */
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
  return rule(type, (state, event) => ({ state, effects: [{ kind: 'notify', notice: make(event) }] }));
}

type Collect<Params extends object | undefined> = Parameters<
  typeof enqueueActions<ReplicaContext, ReplicaEvent, Params, ReplicaEvent, never, never, never, never, Notice>
>[0];

/** `enqueueActions` with the types of the replica's chart. */
export function action<Params extends object | undefined = undefined>(collect: Collect<Params>): ReplicaAction<Params> {
  return enqueueActions(collect);
}

function surroundingsOf({ seams }: ReplicaContext): Surroundings {
  return { wallMs: seams.clock.wallNow(), isDiskBehind: seams.log.unsyncedBytes > MOST_UNSYNCED_BYTES };
}
