import './events.css';
import type { RefObject } from 'preact';
import { grouped, timeOfDay } from '../../report/phrases.js';
import { fractionOf } from '../shared/format.js';
import { px } from '../shared/px.js';
import type { ActorChoices } from './model/actor-choices.js';
import type { Position } from './model/actor-history.js';
import type { EventRow } from './model/event-rows.js';
import { PayloadTable, payloadLines } from './payload-table.js';
import { WindowedList } from './windowed-list.js';

export interface EventsPanelProps {
  readonly rows: readonly EventRow[];
  /** The row that belongs to the moment that is shown; -1 for none. */
  readonly current: number;
  readonly isLive: boolean;
  /** Position of the row whose payload is shown. */
  readonly opened: Position | null;
  readonly choices: ActorChoices;
  readonly actor: string | null;
  readonly text: string;
  readonly isFilterShown: boolean;
  /** Pixels that a row has at least: fingers need more than a pointer. */
  readonly lowestRow: number;
  readonly filterElement: RefObject<HTMLInputElement | null>;
  readonly setActor: (actor: string | null) => void;
  readonly setText: (text: string) => void;
  readonly showFilter: () => void;
  readonly open: (row: EventRow) => void;
  readonly pause: () => void;
}

/** The list of events: who sent what to whom, and what it changed. */
export function EventsPanel(props: EventsPanelProps) {
  const { rows, current, isLive, opened, text, isFilterShown, lowestRow, open, pause } = props;
  const heightAt = (row: EventRow): number => Math.max(lowestRow, heightOf(row, opened));
  return (
    <section class="events panel" aria-label="Events">
      <header>
        <h2>Events</h2>
        <ActorChoice {...props} />
        <button type="button" class="button small" aria-pressed={!isLive} onClick={pause}>
          {isLive ? 'Pause' : 'Resume'} <kbd class="key">p</kbd>
        </button>
      </header>
      {isFilterShown ? <TextFilter {...props} /> : null}
      {rows.length === 0 ? (
        <p class="nothing">
          {text === ''
            ? 'Nothing has happened since this page began to look.'
            : `No event has “${text}” in its type or its actors' names. Esc shows all.`}
        </p>
      ) : (
        <WindowedList
          count={rows.length}
          heightOf={(at) => heightAt(rows[at] as EventRow)}
          shown={current}
          shownFor={isLive ? null : current}
          isFollowing={isLive}
          attributes={{ role: 'group', 'aria-label': 'Events, oldest first', tabIndex: 0, 'data-list': 'events' }}
          row={(at) => {
            const row = rows[at] as EventRow;
            const { position } = row.entry;
            return (
              <EventLine
                key={position}
                row={row}
                height={heightAt(row)}
                isCurrent={!isLive && at === current}
                isOpen={position === opened}
                open={open}
              />
            );
          }}
        />
      )}
    </section>
  );
}

function ActorChoice({ choices, actor, setActor, showFilter, isFilterShown }: EventsPanelProps) {
  return (
    <span class="aside">
      {isFilterShown ? null : (
        <button type="button" class="quiet" onClick={showFilter}>
          filter <kbd class="key">f</kbd>
        </button>
      )}
      <span class="choice">
        <select
          aria-label="Events of which actor"
          value={actor ?? ''}
          onChange={({ currentTarget }) => setActor(currentTarget.value === '' ? null : currentTarget.value)}
        >
          <option value="">all actors</option>
          {choices.actors.map((one) => (
            <option key={one.actor} value={one.actor}>
              {one.id}
            </option>
          ))}
          {choices.left === 0 ? null : (
            <option disabled>{grouped(choices.left)} more: select one in the tree of actors</option>
          )}
        </select>
      </span>
    </span>
  );
}

function TextFilter({ text, setText, filterElement }: EventsPanelProps) {
  return (
    <div class="filter">
      <input
        type="search"
        ref={filterElement}
        aria-label="Filter events by actor or type"
        placeholder="Filter by actor or type"
        value={text}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
      <kbd class="key">f</kbd>
    </div>
  );
}

const LINE = 14;
const TYPE_LINE = 16;
const ROW_PADDING = 6;
const FOLDED = 22;

/** The same as the style sheet makes it: the list must know it before a row is drawn. */
function heightOf({ kind, entry, payload }: EventRow, opened: Position | null): number {
  const lines = entry.position === opened ? payloadLines(payload) : 0;
  const open = lines === 0 ? 0 : lines * LINE + 16;
  if (kind === 'folded') return FOLDED + open;
  return TYPE_LINE + LINE + ROW_PADDING + (entry.change === '' ? 0 : LINE) + open;
}

interface EventLineProps {
  readonly row: EventRow;
  readonly height: number;
  readonly isCurrent: boolean;
  readonly isOpen: boolean;
  readonly open: (row: EventRow) => void;
}

function EventLine({ row, height, isCurrent, isOpen, open }: EventLineProps) {
  const { kind, entry, type, route, payload } = row;
  const time = timeOfDay(entry.message.atMs);
  const fraction = fractionOf(entry.message.atMs);
  const marks = `${entry.change === '' ? '' : 'changed'} ${isCurrent ? 'current' : ''} ${kind}`;
  return (
    <div class={`event-row ${marks}`} style={{ height: px(height) }}>
      <button type="button" class="what" aria-expanded={isOpen} onClick={() => open(row)}>
        {kind === 'folded' ? (
          <span class="counts">
            <i aria-hidden="true">{isOpen ? '⌃' : '⌄'}</i> {type}
          </span>
        ) : (
          <>
            <time title={time + fraction}>{time.slice(3) + fraction}</time>
            <span class="type" title={type}>
              {type}
              {row.repeats === 1 ? null : <b class="badge">×{grouped(row.repeats)}</b>}
            </span>
            <span class="route">{route}</span>
            {entry.change === '' ? null : <span class="led-to">{entry.change}</span>}
          </>
        )}
      </button>
      {isOpen ? <PayloadTable payload={payload} /> : null}
    </div>
  );
}
