import type { ActorHistory } from './actor-history.js';
import type { ActorTree } from './actor-rows.js';

/** The actors whose events can be shown alone. */
export interface ActorChoices {
  readonly actors: readonly { readonly actor: string; readonly id: string }[];
  /** How many actors there are beside them. */
  readonly left: number;
}

/** A longer menu is slow to draw, and nobody finds an actor in it. */
const MOST = 100;

/** The first actors, and wherever they stand: the one whose chart is shown, and the one whose events are. */
export function actorChoices(
  { all }: Pick<ActorTree, 'all'>,
  shown: readonly (ActorHistory | null | undefined)[],
): ActorChoices {
  const first = all.slice(0, MOST);
  const further = shown.filter((one) => one != null && !first.some(({ actor }) => actor === one.actor));
  const actors = [...first, ...new Set(further)].map((one) => ({ actor: one?.actor ?? '', id: one?.id ?? '' }));
  return { actors, left: Math.max(0, all.length - actors.length) };
}
