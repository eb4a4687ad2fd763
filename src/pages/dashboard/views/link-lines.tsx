import { useMemo } from 'preact/hooks';
import { useMedia } from '../hooks.js';
import type { ClusterView } from '../model/cluster-view.js';
import type { Direction, LinkView } from '../model/links.js';
import type { Line, Point, Route, Size } from '../model/positions.js';
import { labelPlace, lengthOf, partsOf, routeBetween } from '../model/positions.js';

interface LinkLinesProps {
  readonly links: readonly LinkView[];
  readonly places: readonly Point[];
  readonly card: Size;
  readonly area: Size;
  readonly view: ClusterView;
}

/** All links: two lines each, one for each direction, with dots where messages travel, and words beside them. */
export function LinkLines({ links, places, card, area, view }: LinkLinesProps) {
  const isStill = useMedia('(prefers-reduced-motion: reduce)');
  const routes = useMemo(() => routesBetween(places, card), [JSON.stringify(places)]);
  const drawn = links.flatMap((link) => {
    const forth = routes[link.one]?.[link.other];
    const back = routes[link.other]?.[link.one];
    return forth === undefined || back === undefined ? [] : [{ link, forth, back }];
  });
  const labelled = drawn.filter(({ link, forth }) => hasRoom(link, forth, view));
  return (
    <>
      <svg
        class={places.length > 3 ? 'links many' : 'links'}
        aria-hidden="true"
        width={area.width}
        height={area.height}
      >
        {drawn.map(({ link, forth, back }) => (
          <g key={link.key}>
            <Way route={forth} direction={link.forth} isStill={isStill} />
            <Way route={back} direction={link.back} isStill={isStill} />
          </g>
        ))}
      </svg>
      {labelled.map(({ link, forth, back }) => {
        const place = labelPlace(forth, back, area);
        const text = wordsOf(link, forth, place.side);
        // Between two cards the words break into short lines, because the cards would cover long ones.
        const room = place.side === 'above' ? { maxWidth: `${Math.abs(forth.to.x - forth.from.x) + 8}px` } : {};
        const style = { left: `${place.x}px`, top: `${place.y}px`, ...room };
        return (
          <div key={link.key} class={`link-label ${link.tone} ${place.side}`} style={style}>
            <span class="hidden-text">{nameOf(link, view)}: </span>
            {text.map((part) => (
              <span key={part}>{part}</span>
            ))}
          </div>
        );
      })}
    </>
  );
}

/** By where they begin and where they end. */
const routesBetween = (places: readonly Point[], card: Size): readonly (readonly Route[])[] =>
  places.map((from) => places.map((to) => routeBetween(from, to, card, places)));

const nameOf = ({ one, other }: LinkView, { nodes }: ClusterView): string =>
  `link between ${nodes[one]?.id} and ${nodes[other]?.id}`;

/** With many nodes only a leader's links, and links that fail, have words; and only where a line is long enough. */
function hasRoom(link: LinkView, line: Line, { nodes, leader }: ClusterView): boolean {
  if (nodes.length <= 3) return true;
  const isLeaders = nodes[link.one]?.id === leader?.id || nodes[link.other]?.id === leader?.id;
  const length = Math.hypot(line.to.x - line.from.x, line.to.y - line.from.y);
  return nodes.length === 4 && isLeaders && length > 60;
}

/** Between two cards side by side there is room for one short line of words. */
function wordsOf(link: LinkView, forth: Line, side: string): readonly string[] {
  if (link.tone === 'plain') return withArrows(link, forth, side);
  return link.tone === 'pale' && side === 'above' ? [(link.label[0] ?? '').replace(/:$/, '')] : link.label;
}

/** The way out and the way back, as the picture shows them. */
function withArrows({ label, forth }: LinkView, line: Line, side: string): readonly string[] {
  const [out = '', back = ''] = label;
  const dx = line.to.x - line.from.x;
  if (Math.abs(dx) < 8) return [`↓ ${out}`, `↑ ${back}`];
  const [first, second] = forth.kind === 'appends' ? [out, back] : [back, out];
  if (side === 'above') return [first, `⇄ ${second}`];
  const isRightward = forth.kind === 'appends' ? dx > 0 : dx < 0;
  return isRightward ? [`${first} →`, `← ${second}`] : [`← ${first}`, `${second} →`];
}

interface WayProps {
  readonly route: Route;
  readonly direction: Direction;
  readonly isStill: boolean;
}

const ARROW = 7;

function Way({ route, direction, isStill }: WayProps) {
  const { from, to } = partsOf(route).at(-1) ?? route;
  const angle = (Math.atan2(to.y - from.y, to.x - from.x) * 180) / Math.PI;
  const hasHead = direction.kind !== 'down' && direction.kind !== 'silent';
  return (
    <g class={`way ${direction.kind}`}>
      <path class="line" d={pathOf(route)} />
      {hasHead ? (
        <path
          class="head"
          d={`M0 0L${-ARROW} ${ARROW * 0.45}V${-ARROW * 0.45}Z`}
          transform={`translate(${to.x} ${to.y}) rotate(${angle})`}
        />
      ) : null}
      {isStill ? null : <Dots route={route} direction={direction} />}
    </g>
  );
}

const pathOf = ({ from, bends, to }: Route): string =>
  [from, ...bends, to].map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${x} ${y}`).join('');

/** Dots are as fast on a short line as on a long one. */
const TRAVEL_MS_PER_PX = 2.6;
/** One dot for each of these in which there are messages. */
const DOT_EVERY_MS = 100;

function Dots({ route, direction }: Omit<WayProps, 'isStill'>) {
  const travelMs = Math.round(lengthOf(route) * TRAVEL_MS_PER_PX);
  const perSecond = Math.min(direction.perSecond, 1_000 / DOT_EVERY_MS);
  const count = Math.ceil((perSecond * travelMs) / 1_000);
  const path = { offsetPath: `path("${pathOf(route)}")` };
  return (
    // All are made anew when there are more or fewer of them, so that they keep their distance.
    <g key={count}>
      {Array.from({ length: count }, (_, at) => {
        const delay = { animationDelay: `${(-travelMs * at) / count}ms`, animationDuration: `${travelMs}ms` };
        return <circle key={at} class="dot" r="3" style={{ ...path, ...delay }} />;
      })}
    </g>
  );
}
