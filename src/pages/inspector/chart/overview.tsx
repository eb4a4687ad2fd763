import type { ChartLayout } from './layout.js';
import type { Lit } from './lit.js';
import type { ChartView } from './use-chart-view.js';

export interface OverviewProps {
  readonly layout: ChartLayout;
  readonly lit: Lit;
  readonly view: ChartView;
}

/** The whole chart in small, with the part that is seen; a click moves there. */
export function Overview({ layout, lit, view }: OverviewProps) {
  const { seen } = view;
  const go = (event: PointerEvent): void => {
    if (event.buttons !== 1) return;
    const svg = event.currentTarget as SVGSVGElement;
    const { left, top, width, height } = svg.getBoundingClientRect();
    const scale = Math.max(layout.width / width, layout.height / height);
    view.centerAt((event.clientX - left) * scale, (event.clientY - top) * scale);
  };
  return (
    <section class="overview" aria-label="Overview">
      <h2>Overview</h2>
      <svg
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        preserveAspectRatio="xMinYMin meet"
        aria-hidden="true"
        onPointerDown={go}
        onPointerMove={go}
      >
        {layout.boxes.map(({ path, x, y, width, height, isLeaf }) =>
          path === '' ? null : (
            <rect
              key={path}
              class={lit.leaves.has(path) ? 'lit' : isLeaf ? 'leaf' : 'frame'}
              x={x}
              y={y}
              width={width}
              height={height}
              rx="6"
            />
          ),
        )}
        <rect class="seen" x={seen.x} y={seen.y} width={seen.width} height={seen.height} rx="6" />
      </svg>
    </section>
  );
}
