import type { ChartLayout } from './layout.js';
import type { Lit } from './lit.js';
import type { Rect } from './route-job.js';
import type { ChartView } from './use-chart-view.js';

export interface OverviewProps {
  readonly layout: ChartLayout;
  readonly lit: Lit;
  readonly view: ChartView;
}

const EDGE = 10;

/** The whole chart in small, with the part that is seen; a click moves there. */
export function Overview({ layout, lit, view }: OverviewProps) {
  // The root's words are above all boxes, and are not drawn.
  const top = Math.min(...layout.boxes.filter(({ path }) => path !== '').map(({ y }) => y)) - EDGE;
  const height = layout.height - top;
  const seen = cut(view.seen, { x: 0, y: top, width: layout.width, height });
  const go = (event: PointerEvent): void => {
    if (event.buttons !== 1) return;
    const svg = event.currentTarget as SVGSVGElement;
    const shown = svg.getBoundingClientRect();
    const scale = Math.max(layout.width / shown.width, height / shown.height);
    view.centerAt((event.clientX - shown.left) * scale, top + (event.clientY - shown.top) * scale);
  };
  return (
    <section class="overview" aria-label="Overview">
      <h2>Overview</h2>
      <svg
        viewBox={`0 ${top} ${layout.width} ${height}`}
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

/** The part of a rectangle that lies in another. */
function cut(rect: Rect, by: Rect): Rect {
  const x = Math.max(rect.x, by.x);
  const y = Math.max(rect.y, by.y);
  const right = Math.min(rect.x + rect.width, by.x + by.width);
  const bottom = Math.min(rect.y + rect.height, by.y + by.height);
  return { x, y, width: Math.max(0, right - x), height: Math.max(0, bottom - y) };
}
