import { useEffect, useLayoutEffect, useState } from 'preact/hooks';
import type { StateDefinition } from '../../../inspect/stream.js';
import type { DefinitionIndex } from '../model/definition-index.js';
import type { Detail } from './box-rows.js';
import { childOrder } from './child-order.js';
import { type ChartLayout, type LayoutNode, type LayoutPurpose, layOut, type Size } from './layout.js';
import { askForRoutes } from './route-client.js';
import type { RoutedWire } from './route-job.js';
import { type MeasuredHead, routeJob } from './wire-wishes.js';

export interface DrawnChart {
  readonly layout: ChartLayout;
  readonly wires: readonly RoutedWire[];
}

type Heads = ReadonlyMap<string, MeasuredHead>;

interface Kept {
  readonly heads: Map<Detail, Heads>;
  readonly charts: Map<string, DrawnChart>;
}

/** By machine: a chart is laid out once for each width and detail, never for a snapshot. */
const kept = new WeakMap<DefinitionIndex, Kept>();

function keptOf(index: DefinitionIndex): Kept {
  const known = kept.get(index) ?? { heads: new Map(), charts: new Map() };
  kept.set(index, known);
  return known;
}

/**
 * The chart of a machine for a view: boxes at once, arrows when the worker has found their ways. Null until heads are measured:
 * meanwhile `measured` must stand in the page, holding the head of each state.
 */
export function useChartLayout(
  index: DefinitionIndex | null,
  detail: Detail,
  view: Size,
  purpose: LayoutPurpose,
  measured: { readonly current: HTMLElement | null },
): DrawnChart | null {
  const [, setVersion] = useState(0);
  const again = (): void => setVersion((version) => version + 1);
  const key = `${detail} ${purpose} ${view.width} ${view.height}`;
  const chart = index === null ? undefined : keptOf(index).charts.get(key);
  useLayoutEffect(() => {
    if (index === null || chart !== undefined || view.width === 0) return;
    const { heads, charts } = keptOf(index);
    if (measured.current !== null && !heads.has(detail)) heads.set(detail, measureHeads(measured.current));
    const sizes = heads.get(detail);
    if (sizes === undefined) return;
    charts.set(key, { layout: layOut(nodeOf(index, index.root, sizes), view, purpose), wires: [] });
    again();
  });
  useEffect(() => {
    if (index === null || chart === undefined || chart.wires.length > 0) return;
    const { heads, charts } = keptOf(index);
    const job = routeJob(index, detail, chart.layout, heads.get(detail) ?? new Map());
    if (job.wires.length === 0) return;
    askForRoutes(job, (wires) => {
      charts.set(key, { ...chart, wires });
      again();
    });
  }, [index, key, chart === undefined]);
  return chart ?? null;
}

/** Whether heads of this machine have to be put into the page to be measured. */
export function needsMeasuring(index: DefinitionIndex, detail: Detail): boolean {
  return !keptOf(index).heads.has(detail);
}

function nodeOf(index: DefinitionIndex, state: StateDefinition, heads: Heads): LayoutNode {
  const head = heads.get(state.path) ?? { width: 0, height: 0 };
  const children = childOrder(index, state).map((child) => nodeOf(index, child, heads));
  return { path: state.path, isParallel: state.type === 'parallel', head, children };
}

function measureHeads(container: HTMLElement): Heads {
  const heads = new Map<string, MeasuredHead>();
  for (const head of container.querySelectorAll<HTMLElement>('[data-head]')) {
    const lines = [...head.querySelectorAll<HTMLElement>('[data-line]')].map((line) => ({
      x: line.offsetLeft,
      y: line.offsetTop,
      width: line.offsetWidth,
      height: line.offsetHeight,
      row: line.dataset.row ?? null,
    }));
    heads.set(head.dataset.head ?? '', { width: head.offsetWidth, height: head.offsetHeight, lines });
  }
  return heads;
}
