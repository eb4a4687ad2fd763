import type { DefinitionIndex } from '../model/definition-index.js';
import { boxRows, type ChangeRow, type Detail } from './box-rows.js';
import type { Box, ChartLayout } from './layout.js';
import type { Point, Rect, RouteJob, WireWish } from './route-job.js';

/** The lines of a head as the browser has set them, from the head's upper left corner. */
export interface MeasuredHead {
  readonly width: number;
  readonly height: number;
  readonly lines: readonly (Rect & { readonly row: string | null })[];
}

/** Arrows keep this far from the ends of words. */
const CLEAR = 6;

/** An arrow's name: the state and the row that it leaves, and the state that it leads to. */
export const wireKey = (source: string, row: ChangeRow, target: string): string => `${source}|${row.key}|${target}`;

/** Makes the router's question from a laid out chart. */
export function routeJob(
  index: DefinitionIndex,
  detail: Detail,
  layout: ChartLayout,
  heads: ReadonlyMap<string, MeasuredHead>,
): RouteJob {
  const boxes = new Map(layout.boxes.map((box) => [box.path, box]));
  const framed = layout.boxes.filter(({ path }) => path !== '');
  return {
    width: layout.width,
    height: layout.height,
    solids: framed.filter(({ isLeaf }) => isLeaf).map(rectOf),
    frames: framed.filter(({ isLeaf }) => !isLeaf).map(rectOf),
    texts: layout.boxes.filter(({ isLeaf }) => !isLeaf).flatMap((box) => textsOf(box, heads.get(box.path))),
    wires: layout.boxes.flatMap((box) => wishes(index, detail, box, heads.get(box.path), boxes)),
  };
}

const rectOf = ({ x, y, width, height }: Box): Rect => ({ x, y, width, height });

function textsOf({ x, y }: Box, head: MeasuredHead | undefined): readonly Rect[] {
  return (head?.lines ?? []).map((line) => ({ ...line, x: x + line.x, y: y + line.y, width: line.width + CLEAR }));
}

function wishes(
  index: DefinitionIndex,
  detail: Detail,
  box: Box,
  head: MeasuredHead | undefined,
  boxes: ReadonlyMap<string, Box>,
): readonly WireWish[] {
  const state = index.byPath(box.path);
  if (state === undefined || head === undefined) return [];
  // Where only names are drawn, arrows leave beside them, one to each target.
  const { changes } = boxRows(index, state, detail === 'names' ? 'changes' : detail);
  return changes.flatMap((row) => {
    const line = head.lines.find((one) => one.row === (detail === 'names' ? null : row.key)) ?? head.lines[0];
    if (line === undefined || row.isReentry) return [];
    return row.targets.flatMap((path) => {
      const target = boxes.get(path);
      if (target === undefined || path === '' || path === box.path) return [];
      return [
        {
          key: wireKey(box.path, row, path),
          leftX: box.x,
          rightX: box.isLeaf ? box.x + box.width : box.x + line.x + line.width + CLEAR,
          y: box.y + line.y + line.height / 2,
          target: rectOf(target),
          targetNumber: [...boxes.keys()].indexOf(path) + 1,
          isInside: box.path.startsWith(`${path}.`),
        },
      ];
    });
  });
}

const CORNER = 4;
const HEAD_LENGTH = 8;

/** A way as the data of an SVG path, with rounded corners; it ends where the arrow's head begins. */
export function wirePath(points: readonly Point[]): string {
  const last = points.length - 1;
  return points
    .map((point, at) => {
      const before = points[at - 1];
      const after = points[at + 1];
      if (before === undefined) return `M${point.x} ${point.y}`;
      if (after === undefined || at === last) {
        const end = towards(point, before, HEAD_LENGTH - 2);
        return `L${end.x} ${end.y}`;
      }
      const from = towards(point, before, CORNER);
      const to = towards(point, after, CORNER);
      return `L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`;
    })
    .join('');
}

/** The head of an arrow: a triangle whose point lies on the target's border. */
export function arrowHead(points: readonly Point[]): string {
  const tip = points.at(-1);
  const before = points.at(-2);
  if (tip === undefined || before === undefined) return '';
  const base = towards(tip, before, HEAD_LENGTH);
  const dx = tip.x === before.x ? 3.5 : 0;
  const dy = tip.x === before.x ? 0 : 3.5;
  return `M${tip.x} ${tip.y}L${base.x + dx} ${base.y + dy}L${base.x - dx} ${base.y - dy}Z`;
}

/** A point so far from one towards another, at most half of the way. */
function towards(from: Point, to: Point, length: number): Point {
  const distance = Math.abs(to.x - from.x) + Math.abs(to.y - from.y);
  const part = distance === 0 ? 0 : Math.min(length, distance / 2) / distance;
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}
