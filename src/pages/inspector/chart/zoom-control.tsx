import type { ChartView } from './use-chart-view.js';

/** Smaller, larger, and all at once. */
export function ZoomControl({ view }: { readonly view: ChartView }) {
  return (
    <div class="zoom-control">
      <button type="button" aria-label="Smaller" onClick={() => view.zoom(1 / 1.2)}>
        −
      </button>
      <output aria-label="Scale">{Math.round(view.scale * 100)} %</output>
      <button type="button" aria-label="Larger" onClick={() => view.zoom(1.2)}>
        +
      </button>
      <button type="button" onClick={view.fit}>
        fit <kbd class="key">0</kbd>
      </button>
    </div>
  );
}
