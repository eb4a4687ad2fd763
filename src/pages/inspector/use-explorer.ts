import { useMemo, useState } from 'preact/hooks';
import type { ActorHistory, Position } from './model/actor-history.js';
import { type ActorTree, actorTree } from './model/actor-rows.js';
import { type EventRow, EventRows } from './model/event-rows.js';
import type { InspectionModel } from './model/inspection-model.js';
import type { SystemHistory } from './model/system-history.js';
import { holding, NEWEST, spanOf, type TimeWindow } from './model/time-window.js';

/** The moment that is shown, where it is not the newest. */
interface Head {
  readonly position: Position;
  /** The event that was chosen, which may have come before the snapshot that shows what it did. */
  readonly row: Position;
}

/** The part of the model that is looked at, and the functions that change it. */
export interface Explorer {
  readonly system: SystemHistory | null;
  readonly actor: ActorHistory | null;
  readonly position: Position;
  readonly isLive: boolean;
  readonly tree: ActorTree;
  readonly rows: readonly EventRow[];
  /** Place in `rows` of what belongs to the moment. */
  readonly current: number;
  readonly opened: Position | null;
  readonly actorFilter: string;
  readonly eventActor: string | null;
  readonly eventText: string;
  readonly window: TimeWindow;
  readonly chooseSystem: (system: string) => void;
  readonly chooseActor: (actor: string) => void;
  readonly setActorFilter: (text: string) => void;
  readonly setEventActor: (actor: string | null) => void;
  readonly setEventText: (text: string) => void;
  readonly setWindow: (window: TimeWindow) => void;
  readonly scrub: (position: Position) => void;
  readonly openRow: (row: EventRow) => void;
  readonly step: (by: 1 | -1) => void;
  readonly goLive: () => void;
  readonly pause: () => void;
}

const NO_TREE: ActorTree = { all: [], rows: [], total: 0, done: 0, notShown: 0 };

export function useExplorer(model: InspectionModel): Explorer {
  const [chosenSystem, chooseSystem] = useState<string | null>(null);
  const [chosenActor, chooseActor] = useState<string | null>(null);
  const [head, setHead] = useState<Head | null>(null);
  const [opened, setOpened] = useState<Position | null>(null);
  const [actorFilter, setActorFilter] = useState('');
  const [eventActor, setEventActor] = useState<string | null>(null);
  const [eventText, setEventText] = useState('');
  const [window, setWindow] = useState<TimeWindow>(NEWEST);
  const system = systemOf(model, chosenSystem);
  const position = head === null ? (system?.last ?? -1) : Math.max(head.position, system?.first ?? 0);
  const tree = system === null ? NO_TREE : actorTree(system, position, actorFilter);
  const list = useMemo(
    () => (system === null ? null : new EventRows(system, { actor: eventActor, text: eventText })),
    [system, eventActor, eventText],
  );
  const rows = list?.update() ?? [];
  const current = lastRowUpTo(rows, head?.row ?? position);
  const goTo = (next: Head): void => {
    setHead(next);
    const atMs = system?.timeOf(next.position) ?? 0;
    setWindow((old) => holding(old, spanOf(old, system?.times[0] ?? 0, system?.times.at(-1) ?? 0), atMs));
  };
  const goLive = (): void => {
    setHead(null);
    setOpened(null);
    setWindow((old) => ({ ...old, untilMs: null }));
  };
  const actor = system === null ? null : (system.actors.get(chosenActor ?? '') ?? firstMachine(system, position));
  return {
    system,
    actor,
    position,
    isLive: head === null,
    tree,
    rows,
    current,
    opened,
    actorFilter,
    eventActor,
    eventText,
    window,
    chooseSystem: (next) => {
      chooseSystem(next);
      chooseActor(null);
      setEventActor(null);
      goLive();
    },
    chooseActor,
    setActorFilter,
    setEventActor,
    setEventText,
    setWindow,
    scrub: (next) => goTo({ position: next, row: next }),
    openRow: ({ entry }) => {
      setOpened((old) => (old === entry.position ? null : entry.position));
      goTo({ position: entry.resultAt, row: entry.position });
    },
    step: (by) => {
      const next = rows[head === null && by === -1 ? rows.length - 2 : current + by];
      if (next === undefined) return;
      goTo({ position: next.entry.resultAt, row: next.entry.position });
      setOpened((old) => (old === null ? null : next.entry.position));
    },
    goLive,
    pause: () => (head === null ? goTo({ position, row: position }) : goLive()),
  };
}

function systemOf(model: InspectionModel, chosen: string | null): SystemHistory | null {
  const known = chosen === null ? undefined : model.systems.get(chosen);
  if (known !== undefined) return known;
  const all = [...model.systems.values()];
  return all.find(({ info }) => info.connected) ?? all[0] ?? null;
}

function firstMachine(system: SystemHistory, position: Position): ActorHistory | null {
  const all = [...system.actors.values()].filter((actor) => actor.isThereAt(position));
  const running = all.filter((actor) => actor.snapshotAt(position)?.status === 'active');
  const there = running.length === 0 ? all : running;
  return (
    there.find(({ machine, parent }) => machine !== null && parent === null) ??
    there.find(({ machine }) => machine !== null) ??
    there[0] ??
    null
  );
}

function lastRowUpTo(rows: readonly EventRow[], position: Position): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as EventRow).entry.position <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
