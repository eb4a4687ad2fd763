import type { Headline } from '../../../report/why.js';
import { headline } from '../../../report/why.js';
import { duration } from '../../shared/format.js';
import type { Dashboard } from '../dashboard.js';
import { useMedia } from '../hooks.js';
import type { ClusterView } from '../model/cluster-view.js';
import { Charts } from './charts.js';
import { Feed } from './feed.js';
import { HeadlineBar } from './headline.js';
import { Logs } from './logs.js';
import { PhoneNodes } from './phone-nodes.js';
import { Picture } from './picture.js';

export function ClusterPage({ dashboard, view }: { readonly dashboard: Dashboard; readonly view: ClusterView }) {
  const isPhone = useMedia('(max-width: 719px)');
  const isGone = view.nodes.length > 0 && view.answering === 0;
  return (
    <main class="cluster">
      <HeadlineBar headline={headlineOf(dashboard, view)} view={view} />
      <div class={isGone ? 'panels gone' : 'panels'}>
        {isPhone ? (
          <PhoneNodes view={view} />
        ) : (
          <>
            <Picture view={view} />
            <Logs view={view} />
          </>
        )}
        <Charts dashboard={dashboard} view={view} />
        <Feed dashboard={dashboard} view={view} />
      </div>
    </main>
  );
}

/** The sentence on the cluster, or why this page cannot say any. */
export function headlineOf({ streams }: Dashboard, view: ClusterView): Headline {
  const nothing = { subtitle: null, causes: [], waiting: null, command: null, starts: null };
  if (view.nodes.every(({ wasHeard }) => !wasHeard)) {
    if (streams.refusal !== null)
      return {
        ...nothing,
        tone: 'danger' as const,
        title: 'This node refuses to tell this page anything.',
        subtitle: streams.refusal,
      };
    const retry = streams.ownRetryMs === null ? null : `Tries again ${inSeconds(streams.ownRetryMs - view.nowMs)}.`;
    return {
      ...nothing,
      tone: 'wait' as const,
      title: 'Connecting to the node that served this page.',
      subtitle: retry,
    };
  }
  const told = headline(view.nodes);
  if (view.answering > 0) return told;
  const waits = view.nodes.flatMap(({ nextTryMs }) => nextTryMs ?? []);
  const retry = waits.length === 0 ? 'Tries again now.' : `Tries again ${inSeconds(Math.min(...waits))}.`;
  return { ...told, subtitle: [told.subtitle, retry].filter((part) => part !== null).join(' ') };
}

const inSeconds = (ms: number): string => (ms <= 50 ? 'now' : `in ${duration(Math.ceil(ms / 100) * 100)}`);
