import type { InspectionTransition, StateDefinition, TransitionDefinition } from '../../../inspect/stream.js';
import type { DefinitionIndex } from './definition-index.js';
import { activePaths } from './state-value.js';

/** One transition of a definition, by the path of the state that it leaves and its place among that state's transitions. */
export interface TakenTransition {
  readonly source: string;
  readonly at: number;
}

/** The transitions that were taken: as the source told, or else as the definition and the states before and after let conclude. */
export function takenTransitions(
  index: DefinitionIndex,
  before: unknown,
  { event, snapshot, taken }: Pick<InspectionTransition, 'event' | 'snapshot' | 'taken'>,
): readonly TakenTransition[] {
  const told = (taken ?? []).flatMap((one) => find(index, one));
  return told.length > 0 ? told : inferred(index, before, snapshot.value, event.type);
}

function find(
  index: DefinitionIndex,
  told: { readonly source: string; readonly targets: readonly string[]; readonly eventType: string },
): readonly TakenTransition[] {
  const source = index.byId(told.source);
  if (source === undefined || told.targets.length === 0) return [];
  const at = source.transitions.findIndex((transition) => {
    return isCausedBy(transition, told.eventType) && sameTargets(transition.targets, told.targets);
  });
  return at < 0 ? [] : [{ source: source.path, at }];
}

const sameTargets = (one: readonly string[], other: readonly string[]): boolean =>
  one.length === other.length && one.every((id) => other.includes(id));

/** Whether an event, by its type as XState's actors see it, causes this transition. */
export function isCausedBy(transition: TransitionDefinition, eventType: string): boolean {
  const { kind, event } = transition;
  if (kind === 'always') return eventType === '';
  if (kind === 'after') return eventType === `xstate.after.${event}` || eventType.startsWith(`xstate.after.${event}.`);
  if (kind === 'done' || kind === 'error') return isEndOf(kind, event, eventType);
  if (event === eventType || event === '*') return true;
  return event.endsWith('.*') && eventType.startsWith(event.slice(0, -1));
}

function isEndOf(kind: 'done' | 'error', id: string, eventType: string): boolean {
  if (id === '*') return eventType.startsWith(`xstate.${kind}.`);
  return eventType === `xstate.${kind}.actor.${id}` || eventType === `xstate.${kind}.state.${id}`;
}

/** The event's own transition first; and where it does not explain the states that are active now, `always` after it. */
function inferred(
  index: DefinitionIndex,
  before: unknown,
  after: unknown,
  eventType: string,
): readonly TakenTransition[] {
  const left = new Set(activePaths(before));
  const entered = new Set(activePaths(after));
  const isExplained = (targets: readonly StateDefinition[]): boolean =>
    targets.every((target) => entered.has(target.path));
  const direct = step(index, left, eventType, isExplained);
  if (direct.length > 0) return direct;
  for (const first of [null, ...possible(index, left, eventType)]) {
    const between = first === null ? left : withEntered(index, left, first);
    const chain = step(index, between, '', isExplained);
    if (chain.length > 0) return first === null ? chain : [first, ...chain];
  }
  return [];
}

/** In each region the first transition, from the deepest state upwards, that leads to what is active now. */
function step(
  index: DefinitionIndex,
  active: ReadonlySet<string>,
  eventType: string,
  isExplained: (targets: readonly StateDefinition[]) => boolean,
): readonly TakenTransition[] {
  const taken: TakenTransition[] = [];
  for (const one of possible(index, active, eventType)) {
    const covered = taken.some(({ source }) => source === one.source || source.startsWith(`${one.source}.`));
    if (!covered && isExplained(targetsOf(index, one))) taken.push(one);
  }
  return taken.filter(({ source }) => !taken.some((other) => source === '' && other.source !== ''));
}

function possible(index: DefinitionIndex, active: ReadonlySet<string>, eventType: string): readonly TakenTransition[] {
  const deepestFirst = [...active, ''].sort((one, other) => depth(other) - depth(one));
  return deepestFirst.flatMap((source) => {
    const transitions = index.byPath(source)?.transitions ?? [];
    return transitions.flatMap((transition, at) => {
      return transition.targets.length > 0 && isCausedBy(transition, eventType) ? [{ source, at }] : [];
    });
  });
}

const depth = (path: string): number => (path === '' ? 0 : path.split('.').length);

function targetsOf(index: DefinitionIndex, { source, at }: TakenTransition): readonly StateDefinition[] {
  const targets = index.byPath(source)?.transitions[at]?.targets ?? [];
  return targets.flatMap((id) => index.byId(id) ?? []);
}

function withEntered(index: DefinitionIndex, active: ReadonlySet<string>, one: TakenTransition): ReadonlySet<string> {
  return new Set([...active, ...targetsOf(index, one).flatMap((target) => index.enteredBy(target))]);
}
