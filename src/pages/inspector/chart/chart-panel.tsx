import './chart.css';
import { px } from '../../shared/px.js';
import type { DefinitionIndex } from '../model/definition-index.js';
import type { Detail } from './box-rows.js';
import type { Box } from './layout.js';
import type { Lit } from './lit.js';
import { stateClasses } from './state-classes.js';
import { StateHead } from './state-head.js';
import type { DrawnChart } from './use-chart-layout.js';
import type { ChartView } from './use-chart-view.js';
import { Wires } from './wires.js';
import { ZoomControl } from './zoom-control.js';

export interface ChartPanelProps {
  readonly index: DefinitionIndex;
  readonly detail: Detail;
  readonly lit: Lit;
  readonly chart: DrawnChart | null;
  readonly view: ChartView;
}

/** The chart on its surface, which can be moved and scaled. */
export function ChartPanel({ index, detail, lit, chart, view }: ChartPanelProps) {
  return (
    <div class="chart-view" ref={view.element} {...view.handlers}>
      {chart === null ? null : (
        <div
          class="surface"
          style={{ transform: view.transform, width: px(chart.layout.width), height: px(chart.layout.height) }}
        >
          <div
            class={`chart detail-${detail}`}
            role="tree"
            aria-label={`Chart of ${index.root.key}`}
            aria-multiselectable="true"
            tabIndex={0}
          >
            {chart.layout.boxes.map((box) => (
              <StateBox key={box.path} index={index} box={box} detail={detail} lit={lit} />
            ))}
          </div>
          <Wires index={index} detail={detail} size={chart.layout} wires={chart.wires} lit={lit} />
        </div>
      )}
      <ZoomControl view={view} />
    </div>
  );
}

interface StateBoxProps {
  readonly index: DefinitionIndex;
  readonly box: Box;
  readonly detail: Detail;
  readonly lit: Lit;
}

function StateBox({ index, box, detail, lit }: StateBoxProps) {
  const state = index.byPath(box.path);
  if (state === undefined) return null;
  const head = <StateHead index={index} state={state} detail={detail} lit={lit} isNamingTargets={false} />;
  const place = { left: px(box.x), top: px(box.y), width: px(box.width), height: px(box.height) };
  if (box.path === '') {
    return (
      <div class="state root-state" role="none" style={{ left: px(box.x), top: px(box.y) }}>
        {head}
      </div>
    );
  }
  const isActive = lit.active.has(box.path);
  return (
    <div
      class={stateClasses(state, index.parentOf(state), box.depth, lit)}
      style={place}
      role="none"
      data-machine={index.root.key}
      data-state={box.path}
      data-active={String(isActive)}
    >
      {head}
    </div>
  );
}

/** The heads of all states, unseen, so that the browser tells how large each is. */
export function MeasuredHeads({ index, detail }: { readonly index: DefinitionIndex; readonly detail: Detail }) {
  return (
    <div class={`chart measured detail-${detail}`} aria-hidden="true">
      {index.all().map((state) => (
        <StateHead key={state.path} index={index} state={state} detail={detail} lit={null} isNamingTargets={false} />
      ))}
    </div>
  );
}
