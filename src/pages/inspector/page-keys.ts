import type { RefObject } from 'preact';
import type { ChartView } from './chart/use-chart-view.js';
import type { KeyActions } from './keys.js';
import type { Explorer } from './use-explorer.js';

export interface PageKeysOptions {
  readonly explorer: Explorer;
  readonly view: ChartView;
  readonly actorFilter: RefObject<HTMLInputElement | null>;
  readonly eventFilter: RefObject<HTMLInputElement | null>;
  readonly showHelp: () => void;
  readonly hideColumns: () => void;
  readonly showEventFilter: () => void;
}

const PANNED = 60;
const ZOOMED = 1.2;

/** The keys of the wide page, with their actions. */
export function pageKeys(options: PageKeysOptions): KeyActions {
  const { explorer, view } = options;
  const focus = (field: RefObject<HTMLInputElement | null>) => (event: KeyboardEvent) => {
    event.preventDefault();
    field.current?.focus();
  };
  const pan = (dx: number, dy: number) => (event: KeyboardEvent) => {
    if (!(event.target instanceof Element) || event.target.closest('.chart-view') === null) return;
    event.preventDefault();
    view.pan(dx * PANNED, dy * PANNED);
  };
  return {
    '?': options.showHelp,
    '/': focus(options.actorFilter),
    f: (event) => {
      options.showEventFilter();
      focus(options.eventFilter)(event);
    },
    p: explorer.pause,
    l: explorer.goLive,
    ',': () => explorer.step(-1),
    '.': () => explorer.step(1),
    '0': view.fit,
    '+': () => view.zoom(ZOOMED),
    '=': () => view.zoom(ZOOMED),
    '-': () => view.zoom(1 / ZOOMED),
    z: options.hideColumns,
    j: (event) => moveRow(explorer, event, 1),
    k: (event) => moveRow(explorer, event, -1),
    Enter: (event) => openRow(explorer, event),
    Escape: (event) => back(explorer, event),
    '[': () => chooseParent(explorer),
    ']': () => chooseChild(explorer),
    ArrowLeft: pan(1, 0),
    ArrowRight: pan(-1, 0),
    ArrowUp: pan(0, 1),
    ArrowDown: pan(0, -1),
  };
}

const isInEvents = ({ target }: KeyboardEvent): boolean =>
  target instanceof Element && target.closest('.events') !== null;

/** In the list that has the focus; otherwise among the actors. */
function moveRow(explorer: Explorer, event: KeyboardEvent, by: 1 | -1): void {
  if (isInEvents(event)) return explorer.step(by);
  const { rows } = explorer.tree;
  const at = rows.findIndex(({ actor }) => actor === explorer.actor?.actor);
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  if (next !== undefined) explorer.chooseActor(next.actor);
}

function openRow(explorer: Explorer, event: KeyboardEvent): void {
  if (event.target instanceof Element && event.target.closest('button, a') !== null) return;
  const row = explorer.rows[explorer.current];
  if (isInEvents(event) && row !== undefined) explorer.openRow(row);
  else document.querySelector<HTMLElement>('[role="tree"].chart')?.focus();
}

/** Undoes the filters first, and, where there is none, leaves the past. */
function back(explorer: Explorer, event: KeyboardEvent): void {
  if (event.target instanceof HTMLElement) event.target.blur();
  if (explorer.actorFilter !== '' || explorer.eventText !== '') {
    explorer.setActorFilter('');
    explorer.setEventText('');
  } else if (!explorer.isLive) explorer.goLive();
}

function chooseParent({ actor, chooseActor }: Explorer): void {
  if (actor !== null && actor.parent !== null) chooseActor(actor.parent);
}

function chooseChild({ actor, tree, chooseActor }: Explorer): void {
  const at = tree.rows.findIndex((row) => row.actor === actor?.actor);
  const child = tree.rows[at + 1];
  if (child !== undefined && at >= 0 && child.depth > (tree.rows[at]?.depth ?? 0)) chooseActor(child.actor);
}
