import './actors.css';
import type { RefObject } from 'preact';
import { grouped } from '../../report/phrases.js';
import { px } from '../shared/px.js';
import type { ActorRow, ActorTree } from './model/actor-rows.js';
import { WindowedList } from './windowed-list.js';

export interface ActorsPanelProps {
  readonly tree: ActorTree;
  readonly selected: string | null;
  readonly filter: string;
  readonly filterElement: RefObject<HTMLInputElement | null>;
  readonly rowHeight: number;
  readonly setFilter: (filter: string) => void;
  readonly select: (actor: string) => void;
}

/** The tree of actors: each below its parent, with its state. */
export function ActorsPanel(props: ActorsPanelProps) {
  const { tree, selected, filter, filterElement, rowHeight, setFilter, select } = props;
  const { rows, total, done, notShown } = tree;
  return (
    <section class="actors panel" aria-label="Actors">
      <header>
        <h2>Actors</h2>
        <span class="aside">
          {grouped(total)}
          {done === 0 ? '' : ` · ${done} done`}
        </span>
      </header>
      <div class="filter">
        <input
          type="search"
          ref={filterElement}
          aria-label="Filter actors by name or state"
          placeholder="Filter by name or state"
          value={filter}
          onInput={({ currentTarget }) => setFilter(currentTarget.value)}
        />
        <kbd class="key">/</kbd>
      </div>
      {rows.length === 0 && filter !== '' ? (
        <p class="nothing">
          No actor has “{filter}” in its name or state. <kbd class="key">Esc</kbd> shows all.
        </p>
      ) : (
        // Another filter is another list, seen from its start.
        <WindowedList
          key={filter}
          count={rows.length}
          heightOf={() => rowHeight}
          shown={rows.findIndex(({ actor }) => actor === selected)}
          shownFor={selected}
          isFollowing={false}
          attributes={{ role: 'tree', 'aria-label': 'Actors', tabIndex: 0, 'data-list': 'actors' }}
          row={(at) => {
            const row = rows[at] as ActorRow;
            return <ActorLine key={row.actor} row={row} isSelected={row.actor === selected} select={select} />;
          }}
        />
      )}
      {notShown === 0 ? null : (
        <p
          class="not-shown"
          title="An inspector shows 10,000 actors of a program. Those that ended first make way for new ones."
        >
          {notShown === 1 ? '1 more actor is not shown' : `${grouped(notShown)} more actors are not shown`}
        </p>
      )}
    </section>
  );
}

interface ActorLineProps {
  readonly row: ActorRow;
  readonly isSelected: boolean;
  readonly select: (actor: string) => void;
}

function ActorLine({ row, isSelected, select }: ActorLineProps) {
  const isPlain = row.kind !== 'machine' && row.kind !== 'transition';
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: j, k and Enter do it, for the whole page.
    <div
      class={`actor ${isPlain ? 'plain' : ''} ${row.isFresh ? 'fresh' : ''}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={row.depth + 1}
      aria-selected={isSelected}
      data-actor={row.id}
      data-session={row.actor}
      data-actor-state={row.path === '' ? row.state : row.path}
      onClick={() => select(row.actor)}
    >
      <span class="who" style={{ paddingLeft: px(8 + row.depth * 13) }} title={row.id}>
        <span class="name">{row.id}</span>
        {row.status === 'error' && row.state !== 'error' ? <b class="badge error">error</b> : null}
      </span>
      <span class={row.status === 'error' && row.state === 'error' ? 'in badge error' : 'in'} title={row.path}>
        {row.state}
      </span>
    </div>
  );
}
