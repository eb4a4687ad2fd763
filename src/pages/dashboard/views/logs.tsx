import { useRef } from 'preact/hooks';
import { grouped } from '../../../report/phrases.js';
import { difference } from '../../shared/format.js';
import { cardOf } from '../model/cards.js';
import type { ClusterView, NodeView } from '../model/cluster-view.js';
import type { Cell, LogWindow, Trail } from '../model/log-strip.js';
import { CELLS, cellsOf, commitShare, LogScale, spanOf, trailOf, windowOf } from '../model/log-strip.js';
import { Badge } from './badge.js';

/** More lanes leave no room for a line of numbers in each: then its last index stands beside its name. */
const ROOMY_LANES = 5;

/** The ends of all logs, aligned by index. */
export function Logs({ view }: { readonly view: ClusterView }) {
  const window = useLogWindow(view, CELLS);
  const isDense = view.nodes.length > ROOMY_LANES;
  return (
    <section class={isDense ? 'panel logs dense' : 'panel logs'} aria-labelledby="logs-title">
      <header>
        <h2 id="logs-title">Logs</h2>
        <span class="scale">{grouped(window.scale)} per cell</span>
        <Legend />
      </header>
      <div class="lanes">
        {view.nodes.map((node) => (
          <Lane key={node.id} view={view} node={node} window={window} isDense={isDense} />
        ))}
        {view.nodes.length === 0 ? <p class="nothing">–</p> : null}
      </div>
    </section>
  );
}

export function useLogWindow(view: ClusterView, cells: number): LogWindow {
  const scale = useRef<LogScale | undefined>(undefined);
  scale.current ??= new LogScale();
  // Where nobody answers, what was shown last stays.
  const span = view.answering === 0 ? null : spanOf(view);
  return windowOf(view, scale.current.look(span, view.nowMs, cells), cells);
}

const CELL_WORDS: readonly (readonly [Cell['state'], string])[] = [
  ['applied', 'applied'],
  ['durable', 'durable'],
  ['volatile', 'not on disk'],
  ['missing', 'missing'],
];

function Legend() {
  return (
    <ul class="legend" aria-label="Cells">
      {CELL_WORDS.map(([state, words]) => (
        <li key={state}>
          <i class={`sample ${state}`} aria-hidden="true" />
          {words}
        </li>
      ))}
      <li>
        <i class="sample rule" aria-hidden="true" />
        committed
      </li>
    </ul>
  );
}

interface LaneProps {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly window: LogWindow;
  readonly isDense: boolean;
}

function Lane(props: LaneProps) {
  const { view, node, window, isDense } = props;
  const { look, badge } = cardOf(view, node);
  return (
    <div class={node.isAnswering ? 'lane' : 'lane silent'}>
      <div class="lane-head">
        <h3>{node.id}</h3>
        <Badge look={look} text={badge} />
        {isDense ? <LaneFacts {...props} /> : null}
        <TrailWords trail={trailOf(view, node)} />
      </div>
      <Strip node={node} window={window} />
      {isDense ? null : <LaneFacts {...props} />}
    </div>
  );
}

export function TrailWords({ trail: { parts, tone } }: { readonly trail: Trail }) {
  return (
    <span class={`trail ${tone}`}>
      {parts.map((part, at) => (at % 2 === 1 ? <strong key={part + String(at)}>{part}</strong> : part))}
    </span>
  );
}

export function Strip({ node, window }: { readonly node: NodeView; readonly window: LogWindow }) {
  const share = commitShare(node, window);
  return (
    <div class="strip" aria-hidden="true">
      {cellsOf(node, window).map(({ state, hue, label }, at) => (
        <i key={at} class={`cell ${state} hue-${hue}${(label?.length ?? 0) > 2 ? ' long' : ''}`}>
          {label}
        </i>
      ))}
      {share === null ? null : <b class="commit" style={{ left: `${share * 100}%` }} />}
    </div>
  );
}

interface LaneFact {
  readonly label: string;
  readonly value: string;
  readonly isExtra?: boolean;
}

function LaneFacts({ view, node, window, isDense }: LaneProps) {
  const note = isDense ? null : noteOf(view, node, window);
  return (
    <dl class="lane-facts">
      {laneFacts(view, node).map(({ label, value, isExtra }) => (
        <div key={label} class={isExtra === true ? 'extra' : ''}>
          <dt>{label}</dt>
          <dd class="mono">{value}</dd>
        </div>
      ))}
      {note === null ? null : (
        <div>
          <dt>{note}</dt>
        </div>
      )}
    </dl>
  );
}

/** The words in a dead node's lane beside its last index. */
function noteOf(
  { leader, answering }: ClusterView,
  { report, isAnswering }: NodeView,
  { start }: LogWindow,
): string | null {
  if (isAnswering || report === null) return null;
  if (report.log.lastIndex <= start) return 'as last heard: left of what is shown';
  return leader === null && answering > 0 ? 'what it held beyond is not decided yet' : null;
}

/** How far a mark is behind the last entry. */
const markOf = (index: number, lastIndex: number): string =>
  index === lastIndex ? 'all' : difference(index - lastIndex);

function laneFacts({ leader }: ClusterView, { id, report, isAnswering }: NodeView): readonly LaneFact[] {
  if (report === null) return [{ label: 'last', value: '–' }];
  const { lastIndex, durableIndex, commitIndex, appliedIndex } = report.log;
  const match = leader?.report?.members.find((member) => member.id === id)?.matchIndex ?? null;
  const shownMatch = match === null || match === 0 || leader?.id === id;
  const facts = [
    { label: 'last', value: grouped(lastIndex) },
    { label: 'durable', value: markOf(durableIndex, lastIndex) },
    { label: 'committed', value: markOf(commitIndex, lastIndex) },
    { label: 'applied', value: markOf(appliedIndex, lastIndex) },
    ...(shownMatch ? [] : [{ label: 'match', value: grouped(match), isExtra: true }]),
  ];
  return isAnswering
    ? facts
    : facts.filter(({ label }) => label === 'last' || (label === 'committed' && leader === null));
}
