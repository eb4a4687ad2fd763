import { useEffect, useRef, useState } from 'preact/hooks';
import type { DefinitionIndex } from '../model/definition-index.js';
import type { Detail } from './box-rows.js';
import type { LayoutPurpose } from './layout.js';
import type { Lit } from './lit.js';
import type { Rect } from './route-job.js';
import { type DrawnChart, needsMeasuring, useChartLayout } from './use-chart-layout.js';
import { type ChartView, useChartView, useSize } from './use-chart-view.js';

/** The selected actor's chart: where its boxes stand, and what part of it is seen. */
export function useChart(index: DefinitionIndex | null, detail: Detail, lit: Lit | null) {
  const element = useRef<HTMLDivElement>(null);
  const measured = useRef<HTMLDivElement>(null);
  const [purpose, setPurpose] = useState<LayoutPurpose>('read');
  const size = useSize(element);
  const chart = useChartLayout(index, detail, size, purpose, measured);
  const layout = chart?.layout ?? null;
  const view = useChartView({ element, size, purpose, setPurpose, layout, lit: () => litPart(chart, lit) });
  useFollowing(chart, view, lit);
  return { chart, view, measured, isMeasuring: index !== null && needsMeasuring(index, detail) };
}

/** Where a chart is larger than its view, what was entered last is kept in sight. */
function useFollowing(chart: DrawnChart | null, view: ChartView, lit: Lit | null): void {
  const changedAt = lit?.changedAt ?? -1;
  useEffect(() => {
    const part = litPart(chart, lit);
    if (part !== null && chart?.layout.isScrolled === true) view.show(part);
  }, [changedAt]);
}

/** The box that the last change left, or else the first active leaf. */
function litPart(chart: DrawnChart | null, lit: Lit | null): Rect | null {
  if (chart === null || lit === null) return null;
  const paths = [...lit.entered, ...lit.leaves];
  const box = chart.layout.boxes.find(({ path }) => path === paths[0]);
  return box ?? null;
}
