import type { StateDefinition, TransitionDefinition } from '../../../inspect/stream.js';
import type { DefinitionIndex } from '../model/definition-index.js';
import { delayText } from '../model/event-rows.js';

/** How much of each state is drawn: titles; with its transitions to other states; with its actions and all else. */
export type Detail = 'names' | 'changes' | 'all';

/** A line below a state's title: what it does on entry, on exit and while it is active. */
export interface ActivityRow {
  readonly kind: 'entry' | 'invoke' | 'exit';
  readonly names: string;
}

/** Transitions of a state that lead to the same target for the same reason, in one line. */
export interface ChangeRow {
  /** Unique in its state. */
  readonly key: string;
  /** Stands before the event in small type: `after`, `done`, `error`; empty for a plain event. */
  readonly kind: string;
  readonly events: string;
  readonly condition: string | null;
  /** Paths of the targets. */
  readonly targets: readonly string[];
  /** The targets' names. */
  readonly targetName: string;
  /** Whether the name is needed beside an arrow: the target is neither a sibling nor a child. */
  readonly isFar: boolean;
  /** It leaves its own state and enters it again. */
  readonly isReentry: boolean;
  /** The places of its transitions among the state's own. */
  readonly at: readonly number[];
}

export interface BoxRows {
  readonly activities: readonly ActivityRow[];
  readonly changes: readonly ChangeRow[];
  /** Types of the events that change no state. */
  readonly unchanging: readonly string[];
}

const NOTHING: BoxRows = { activities: [], changes: [], unchanging: [] };

const known = new WeakMap<StateDefinition, BoxRows>();

/** The rows of text in a state's box. */
export function boxRows(index: DefinitionIndex, state: StateDefinition, detail: Detail): BoxRows {
  if (detail === 'names') return NOTHING;
  const all = known.get(state) ?? allRows(index, state);
  known.set(state, all);
  return detail === 'all' ? all : { ...NOTHING, changes: all.changes };
}

function allRows(index: DefinitionIndex, state: StateDefinition): BoxRows {
  const changes = changeRows(index, state);
  return { activities: activityRows(state), changes, unchanging: unchangingEvents(state) };
}

function activityRows({ entry, invoke, exit }: StateDefinition): readonly ActivityRow[] {
  const rows: readonly ActivityRow[] = [
    { kind: 'entry', names: entry.map(shortName).join(', ') },
    { kind: 'invoke', names: invoke.map(({ id, src }) => (isGenerated(id) ? src : id)).join(', ') },
    { kind: 'exit', names: exit.map(shortName).join(', ') },
  ];
  return rows.filter(({ names }) => names !== '');
}

/** XState makes an id from the state's own where an invocation has none: its source says more. */
const isGenerated = (id: string): boolean => /^\d+\./.test(id);

const shortName = (name: string): string => name.replace(/^xstate\./, '');

function changeRows(index: DefinitionIndex, state: StateDefinition): readonly ChangeRow[] {
  const groups = new Map<string, { events: string[]; at: number[]; first: TransitionDefinition }>();
  state.transitions.forEach((transition, at) => {
    if (transition.targets.length === 0) return;
    const key = JSON.stringify([wordOf(transition), conditionOf(transition), transition.targets, transition.reenter]);
    const group = groups.get(key) ?? { events: [], at: [], first: transition };
    groups.set(key, group);
    group.at.push(at);
    const event = eventOf(state, transition);
    if (event !== '' && !group.events.includes(event)) group.events.push(event);
  });
  return [...groups.values()].map((group) => rowOf(index, state, group));
}

function rowOf(
  index: DefinitionIndex,
  state: StateDefinition,
  { events, at, first }: { events: readonly string[]; at: readonly number[]; first: TransitionDefinition },
): ChangeRow {
  const targets = first.targets.flatMap((id) => index.byId(id) ?? []);
  return {
    key: `${at[0]}`,
    kind: wordOf(first),
    events: events.join(', '),
    condition: conditionOf(first),
    targets: targets.map(({ path }) => path),
    targetName: targets.map(({ key, path }) => (path === '' ? index.root.key : key)).join(', '),
    isFar: !targets.every((target) => isNear(index, state, target)),
    isReentry: targets.length === 1 && targets[0] === state,
    at,
  };
}

function isNear(index: DefinitionIndex, source: StateDefinition, target: StateDefinition): boolean {
  const parent = index.parentOf(target);
  return parent !== undefined && (parent === source || parent === index.parentOf(source));
}

function wordOf({ kind }: TransitionDefinition): string {
  return kind === 'event' || kind === 'wildcard' || kind === 'always' ? '' : kind;
}

function eventOf({ invoke }: StateDefinition, { kind, event }: TransitionDefinition): string {
  if (kind === 'always') return 'always';
  if (kind === 'after') return /^\d+$/.test(event) ? delayText(Number(event)) : event;
  if ((kind === 'done' || kind === 'error') && event === '*') return 'any actor';
  if (kind === 'wildcard' || event === '*') return 'any event';
  return isGenerated(event) ? (invoke.find(({ id }) => id === event)?.src ?? event) : event;
}

function conditionOf({ description, guard }: TransitionDefinition): string | null {
  if (description !== undefined) return description;
  if (guard === undefined) return null;
  return guard === 'inline' ? '…' : guard;
}

function unchangingEvents(state: StateDefinition): readonly string[] {
  const unchanging = state.transitions.filter(({ targets }) => targets.length === 0);
  const names = unchanging.map((one) => `${wordOf(one)} ${eventOf(state, one)}`.trim());
  return [...new Set(names)];
}
