import type { AnyActorRef, AnyStateMachine } from 'xstate';
import { fromCallback, fromObservable, fromPromise, fromTransition } from 'xstate';
import type { InspectionActor } from './stream.js';

/** The machine that an actor runs; undefined where it runs something else. */
export function machineOf(actor: AnyActorRef): AnyStateMachine | undefined {
  const { logic } = actor as { logic?: { config?: unknown; implementations?: unknown } };
  return logic?.config !== undefined && logic.implementations !== undefined ? (logic as AnyStateMachine) : undefined;
}

type Kind = InspectionActor['kind'];

/** XState does not say what made an actor's logic: the text of its transition function gives it away. */
let known: ReadonlyMap<string, Kind> | undefined;

function knownKinds(): ReadonlyMap<string, Kind> {
  const nothing = { subscribe: () => ({ unsubscribe: () => undefined }) };
  known ??= new Map<string, Kind>([
    [textOf(fromPromise(async () => undefined)), 'promise'],
    [textOf(fromCallback(() => undefined)), 'callback'],
    [textOf(fromObservable(() => nothing)), 'observable'],
  ]);
  return known;
}

const textOf = (logic: { readonly transition?: unknown }): string => String(logic.transition);

const fieldsOf = (logic: object): string => Object.keys(logic).sort().join();
const TRANSITION_FIELDS = fieldsOf(fromTransition((state: unknown) => state, undefined));

export function kindOf(actor: AnyActorRef): Kind {
  if (machineOf(actor) !== undefined) return 'machine';
  const { logic } = actor as { logic?: { transition?: unknown } };
  if (logic === undefined) return 'other';
  const kind = knownKinds().get(textOf(logic));
  if (kind !== undefined) return kind;
  return fieldsOf(logic) === TRANSITION_FIELDS ? 'transition' : 'other';
}
