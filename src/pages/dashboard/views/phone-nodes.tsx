import { grouped } from '../../../report/phrases.js';
import { cardOf } from '../model/cards.js';
import type { ClusterView, NodeView } from '../model/cluster-view.js';
import { linksOf } from '../model/links.js';
import type { LogWindow } from '../model/log-strip.js';
import { FEW_CELLS, trailOf } from '../model/log-strip.js';
import { Badge } from './badge.js';
import { Strip, TrailWords, useLogWindow } from './logs.js';
import { contractOf, Timer } from './node-card.js';

/** On a phone a card carries its log's strip and its timer, and links become words. */
export function PhoneNodes({ view }: { readonly view: ClusterView }) {
  const window = useLogWindow(view, FEW_CELLS);
  return (
    <section class="phone-nodes" aria-label="Cluster">
      {view.nodes.map((node) => (
        <PhoneNode key={node.id} view={view} node={node} window={window} />
      ))}
    </section>
  );
}

function PhoneNode({
  view,
  node,
  window,
}: {
  readonly view: ClusterView;
  readonly node: NodeView;
  readonly window: LogWindow;
}) {
  const card = cardOf(view, node);
  return (
    <article class={`phone-node ${card.look}`} aria-label={`${node.id}, ${card.badge}`} {...contractOf(card)}>
      <div class="lane-head">
        <h2>{node.id}</h2>
        <Badge look={card.look} text={card.badge} />
        {node.id === view.leader?.id && view.isCommitting ? (
          <span class="trail">term {node.report?.term}</span>
        ) : (
          <TrailWords trail={trailOf(view, node)} />
        )}
      </div>
      <div class="phone-line mono">
        <span>{card.line}</span>
        <span>{asideOf(view, node)}</span>
      </div>
      <Strip node={node} window={window} />
      <Timer card={card} />
    </article>
  );
}

/** A number of milliseconds alone says nothing. */
const TIMED = /(^| )in$/;

/** A leader says what it sends, others how long they wait. */
function asideOf(view: ClusterView, node: NodeView): string {
  const { facts, look, words } = cardOf(view, node);
  // How much of a snapshot is here stands above.
  if (look === 'waits') return words ?? '';
  // How long ago it was heard stands above where the strip is as old.
  if (trailOf(view, node).parts[0]?.startsWith('as last heard') === true) return words ?? '';
  const fact = facts.at(-1);
  if (look !== 'leader')
    return fact === undefined ? '' : `${TIMED.test(fact.label) ? `${fact.label} ` : ''}${fact.value}`;
  if (!view.isCommitting) return `term ${node.report?.term ?? '–'}`;
  const at = view.nodes.indexOf(node);
  const busiest = linksOf(view)
    .flatMap(({ one, other, forth, back }) =>
      one === at ? [{ to: other, way: forth }] : other === at ? [{ to: one, way: back }] : [],
    )
    .sort((first, second) => second.way.perSecond - first.way.perSecond)[0];
  return busiest === undefined ? '' : `→ ${view.nodes[busiest.to]?.id} ${grouped(busiest.way.perSecond)}/s`;
}
