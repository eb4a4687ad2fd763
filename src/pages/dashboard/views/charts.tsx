import { useMemo, useRef } from 'preact/hooks';
import { latency, short } from '../../shared/format.js';
import type { Dashboard } from '../dashboard.js';
import type { ClusterView } from '../model/cluster-view.js';
import type { Series } from '../model/history.js';
import type { ChartLine } from './chart-panel.js';
import { ChartPanel } from './chart-panel.js';

/** Four charts of the last five minutes. */
export function Charts({ dashboard, view }: { readonly dashboard: Dashboard; readonly view: ClusterView }) {
  const second = Math.floor(view.nowMs / 1_000);
  const { history, marks } = dashboard.model;
  const series = useMemo(() => history.series(second * 1_000), [history, second]);
  const shared = { times: series.times, marks: marks.marks };
  const { facts } = view;
  const leader = useRef<string | null>(null);
  leader.current = view.leader?.id ?? leader.current;
  return (
    <div class="charts">
      <ChartPanel
        {...shared}
        title="Operations per second"
        isCount
        format={short}
        lines={[
          { label: 'puts', values: series.puts, now: facts.puts, tone: 'accent', isFilled: true },
          { label: 'reads', values: series.reads, now: facts.reads, tone: 'plain' },
        ]}
      />
      <ChartPanel
        {...shared}
        title="Put latency"
        format={latency}
        lines={[
          { label: 'p50', values: series.p50, now: facts.p50, tone: 'accent' },
          { label: 'p99', values: series.p99, now: facts.p99, tone: 'plain' },
        ]}
      />
      <ChartPanel
        {...shared}
        title="Disk sync and event loop"
        tip="Of the slowest node"
        format={latency}
        lines={[
          { label: 'sync', values: series.sync, now: facts.sync, tone: 'accent' },
          { label: 'loop', values: series.loop, now: facts.loop, tone: 'plain' },
        ]}
      />
      <ChartPanel
        {...shared}
        title="Behind the leader"
        isCount
        isFlat
        format={short}
        lines={behindLines(view, series, leader.current)}
      />
    </div>
  );
}

/** How far those that do not lead, or did not lead last, trail. Two followers at most: of more, those that trail furthest. */
function behindLines({ nodes }: ClusterView, { behind }: Series, leader: string | null): readonly ChartLine[] {
  const followers = nodes.filter(({ id }) => id !== leader);
  const furthest = [...followers].sort((one, other) => (other.trails ?? -1) - (one.trails ?? -1)).slice(0, 2);
  const shown = followers.filter((node) => furthest.includes(node));
  shown.sort((one, other) => Number(one.isDown) - Number(other.isDown));
  return shown.map(({ id, trails, isDown }, at) => ({
    label: id,
    values: behind.get(id) ?? [],
    now: trails,
    isDashed: isDown && at > 0 && shown.every((node) => node.isDown),
    tone: isDown ? 'danger' : at === 0 ? 'accent' : 'plain',
  }));
}
