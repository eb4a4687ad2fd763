import { useMemo, useState } from 'preact/hooks';
import { timeOfDay } from '../../../report/phrases.js';
import { fractionOf } from '../../shared/format.js';
import type { Dashboard } from '../dashboard.js';
import { useShortcuts } from '../keyboard.js';
import type { ClusterView } from '../model/cluster-view.js';
import type { FeedRow } from '../model/feed.js';
import { feedRows } from '../model/feed.js';

/** A row that is so new has a soft background. */
const NEW_MS = 1_200;
const MOST_ROWS = 300;

/** The list of news, newest first. */
export function Feed({ dashboard, view }: { readonly dashboard: Dashboard; readonly view: ClusterView }) {
  const [only, setOnly] = useState<string | null>(null);
  const { items } = dashboard.model.feed;
  const rows = useMemo(() => feedRows(items, only).slice(0, MOST_ROWS), [items, only]);
  const newest = rows.filter((row) => row.kind === 'news' && view.nowMs - row.item.atMs < NEW_MS).map(({ key }) => key);
  // The rows are drawn anew only where they, or which of them are new, have changed: there may be hundreds.
  const drawn = useMemo(
    () =>
      rows.map((row) =>
        row.kind === 'quiet' ? (
          <Quiet key={row.key} row={row} />
        ) : (
          <News key={row.key} row={row} isNew={newest.includes(row.key)} />
        ),
      ),
    [rows, newest.join()],
  );
  const ids = view.nodes.map(({ id }) => id);
  const choices = [null, ...ids];
  useShortcuts({
    f: () => setOnly(choices[(choices.indexOf(only) + 1) % choices.length] ?? null),
    Escape: () => setOnly(null),
  });
  return (
    <section class="panel feed" aria-labelledby="feed-title">
      <header>
        <h2 id="feed-title">What happened</h2>
        <label class="feed-filter">
          <span class="hidden-text">Show news of</span>
          <select value={only ?? ''} onChange={({ currentTarget }) => setOnly(currentTarget.value || null)}>
            <option value="">all nodes</option>
            {ids.map((id) => (
              <option key={id} value={id}>
                {id}
              </option>
            ))}
          </select>
          <kbd class="key wide-only">f</kbd>
        </label>
      </header>
      {rows.length === 0 ? (
        <p class="nothing">{only === null ? 'Nothing yet.' : `Nothing of ${only}. Esc shows all nodes.`}</p>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what is longer than its room is scrolled by keyboard, too */}
      <ol class="feed-rows" tabIndex={0} aria-label="What happened, newest first">
        {drawn}
      </ol>
    </section>
  );
}

function News({ row, isNew }: { readonly row: FeedRow & { kind: 'news' }; readonly isNew: boolean }) {
  const { item, main, aside, repeats, reporter } = row;
  return (
    <li class={`news ${item.tone}${isNew ? ' new' : ''}`} data-event={item.event}>
      <time class="mono" dateTime={new Date(item.atMs).toISOString()}>
        {timeOfDay(item.atMs)}
        <span>{fractionOf(item.atMs)}</span>
      </time>
      <p>
        {main}
        {aside === null ? null : <span class="news-aside"> {aside}</span>}
        {repeats === null ? null : <span class="count">{repeats}</span>}
        {reporter === null ? null : <span class="reporter"> {reporter}</span>}
      </p>
    </li>
  );
}

function Quiet({ row }: { readonly row: FeedRow & { kind: 'quiet' } }) {
  const minute = (ms: number): string => timeOfDay(ms).slice(0, 5);
  return (
    <li class="quiet">
      <span>{row.text}</span>
      <span>
        {minute(row.fromMs)} – {minute(row.untilMs)}
      </span>
    </li>
  );
}
