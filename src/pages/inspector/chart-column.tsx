import type { ComponentChildren } from 'preact';
import type { Detail } from './chart/box-rows.js';
import type { ActorHistory, Position } from './model/actor-history.js';
import { leafPaths } from './model/state-value.js';

const DETAILS: readonly (readonly [Detail, string])[] = [
  ['names', 'Names'],
  ['changes', 'Changes'],
  ['all', 'All'],
];

export interface ChartHeaderProps {
  readonly actor: ActorHistory;
  readonly position: Position;
  readonly detail: Detail;
  readonly setDetail: (detail: Detail) => void;
}

/** Which actor's chart it is, the state that it is in, and how much is drawn. */
export function ChartHeader({ actor, position, detail, setDetail }: ChartHeaderProps) {
  return (
    <header class="chart-header">
      <h1>{actor.id}</h1>
      <StatePath value={actor.snapshotAt(position)?.value} />
      {actor.machine === null ? null : (
        <fieldset class="segments">
          <legend class="hidden-text">Detail of the chart</legend>
          {DETAILS.map(([name, word]) => (
            <button key={name} type="button" aria-pressed={detail === name} onClick={() => setDetail(name)}>
              {word}
            </button>
          ))}
        </fieldset>
      )}
    </header>
  );
}

/** `active › leader › serving`; parallel regions beside each other. */
function StatePath({ value }: { readonly value: unknown }) {
  const leaves = leafPaths(value);
  if (leaves.length !== 1) {
    return (
      <span class="path mono">
        {leaves.map((leaf, at) => (
          <span key={leaf}>
            {at === 0 ? '' : ' ‖ '}
            {leaf.slice(leaf.indexOf('.') + 1)}
          </span>
        ))}
      </span>
    );
  }
  const keys = (leaves[0] as string).split('.');
  return (
    <span class="path mono">
      {keys.map((key, at) =>
        at === keys.length - 1 ? <b key={key}>{key}</b> : <span key={`${at} ${key}`}>{key} › </span>,
      )}
    </span>
  );
}

/** In place of a chart, where there is none to draw. */
export function NoChart({ actor }: { readonly actor: ActorHistory | null }) {
  let text: ComponentChildren = 'No actor is there at this moment.';
  if (actor !== null) {
    const { id, kind } = actor;
    text = (
      <>
        <b>{id}</b> runs no state machine ({kind}): there is no chart to draw. Its events and its snapshot are beside
        this.
      </>
    );
  }
  return <p class="no-chart">{text}</p>;
}
