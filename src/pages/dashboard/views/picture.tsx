import { duration } from '../../shared/format.js';
import { useSize } from '../hooks.js';
import { cardOf } from '../model/cards.js';
import type { ClusterView } from '../model/cluster-view.js';
import { linksOf } from '../model/links.js';
import { cardPlaces, cardSize } from '../model/positions.js';
import { LinkLines } from './link-lines.js';
import { NodeCard } from './node-card.js';

/** The members, each in its corner, and the links between them. */
export function Picture({ view }: { readonly view: ClusterView }) {
  const [element, area] = useSize();
  const count = view.nodes.length;
  const card = cardSize(count);
  const places = area === null ? [] : cardPlaces(count, area);
  return (
    <section class="panel picture" aria-labelledby="picture-title">
      <header>
        <h2 id="picture-title">Cluster</h2>
        <span class="aside">{termText(view)}</span>
      </header>
      <div class={count > 3 ? 'picture-area' : 'picture-area few'} ref={element}>
        {area === null || count < 2 ? null : (
          <LinkLines links={linksOf(view)} places={places} card={card} area={area} view={view} />
        )}
        {places.map((place, at) => {
          const node = view.nodes[at];
          if (node === undefined) return null;
          const style = {
            left: `${place.x}px`,
            top: `${place.y}px`,
            width: `${card.width}px`,
            height: `${card.height}px`,
          };
          return <NodeCard key={node.id} card={cardOf(view, node)} style={style} size={sizeOf(count)} />;
        })}
        {count === 0 ? <p class="nothing">–</p> : null}
      </div>
    </section>
  );
}

function sizeOf(count: number): 'large' | 'middle' | 'small' {
  if (count < 5) return 'large';
  return count === 5 ? 'middle' : 'small';
}

function termText({ term, termSinceMs, leader, isCommitting, stuckSinceMs, nowMs }: ClusterView): string {
  if (term === null) return 'term –';
  if (!isCommitting && stuckSinceMs !== null) return `no majority for ${duration(nowMs - stuckSinceMs)}`;
  if (termSinceMs === null) return `term ${term}`;
  const age = duration(Math.max(0, Math.round(nowMs - termSinceMs)));
  return leader === null ? `term ${term} began ${age} ago` : `term ${term} for ${age}`;
}
