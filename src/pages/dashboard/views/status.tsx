import { timeOfDay } from '../../../report/phrases.js';
import type { Headline } from '../../../report/why.js';
import { duration } from '../../shared/format.js';
import type { ClusterView } from '../model/cluster-view.js';

/** From here on a page says that it lags behind. */
const WORTH_SAYING_MS = 1_000;

/** At the right of the top bar: how many nodes answer, whether the page keeps up, and the time. */
export function Status({
  view,
  tone,
  openHelp,
}: {
  readonly view: ClusterView;
  /** The headline's: the dot has its colour. */
  readonly tone: Headline['tone'];
  readonly openHelp: () => void;
}) {
  const { nodes, answering, majority, behindMs, nowMs } = view;
  const isLate = behindMs > WORTH_SAYING_MS;
  return (
    <>
      <span class={`live ${isLate && tone === 'accent' ? 'wait' : tone}`}>
        <span class="live-dot" aria-hidden="true" />
        {isLate ? `this page is ${duration(behindMs)} behind` : countText(answering, nodes.length, majority)}
      </span>
      <span class="clock mono">{timeOfDay(nowMs)}</span>
      <button
        type="button"
        class="key help-key"
        aria-label="Keys of this page"
        title="Keys of this page"
        onClick={openHelp}
      >
        ?
      </button>
    </>
  );
}

function countText(answering: number, nodes: number, majority: number) {
  if (nodes === 0 || majority === 0) return 'connecting';
  return (
    <span>
      {answering === 0 ? '' : 'live · '}
      {answering} of {nodes}
      <span class="wide-only"> {nodes === 1 ? 'node' : 'nodes'}</span>
    </span>
  );
}
