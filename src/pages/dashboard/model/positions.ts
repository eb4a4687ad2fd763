export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where the cards stand, as fractions of the room that is left beside them. Clockwise from the top: a node keeps its corner. */
const PLACES: Readonly<Record<number, readonly Point[]>> = {
  1: [{ x: 0.5, y: 0.5 }],
  2: [
    { x: 0.5, y: 0 },
    { x: 0.5, y: 1 },
  ],
  3: [
    { x: 0.5, y: 0 },
    { x: 1, y: 1 },
    { x: 0, y: 1 },
  ],
  4: [
    { x: 0, y: 0 },
    { x: 1, y: 0 },
    { x: 1, y: 1 },
    { x: 0, y: 1 },
  ],
  5: [
    { x: 0.5, y: 0 },
    { x: 1, y: 0.42 },
    { x: 0.88, y: 1 },
    { x: 0.12, y: 1 },
    { x: 0, y: 0.42 },
  ],
  7: [
    { x: 0.5, y: 0 },
    { x: 1, y: 0.22 },
    { x: 1, y: 0.64 },
    { x: 0.8, y: 1 },
    { x: 0.2, y: 1 },
    { x: 0, y: 0.64 },
    { x: 0, y: 0.22 },
  ],
};

const LARGE: Size = { width: 156, height: 94 };
const MIDDLE: Size = { width: 128, height: 76 };
const SMALL: Size = { width: 112, height: 56 };

/** Five large cards would leave no room for the lines between them. */
export function cardSize(nodes: number): Size {
  if (nodes < 5) return LARGE;
  return nodes === 5 ? MIDDLE : SMALL;
}

/** The top left corner of each card. */
export function cardPlaces(nodes: number, area: Size, card = cardSize(nodes)): readonly Point[] {
  const room = { width: Math.max(0, area.width - card.width), height: Math.max(0, area.height - card.height) };
  return (PLACES[nodes] ?? inTwoColumns(nodes)).map(({ x, y }) => ({
    x: Math.round(x * room.width),
    y: Math.round(y * room.height),
  }));
}

/** The first above, the others down the right side and up the left one. */
function inTwoColumns(nodes: number): readonly Point[] {
  const right = Math.ceil((nodes - 1) / 2);
  const left = nodes - 1 - right;
  const down = (count: number, at: number): number => 0.2 + (0.8 * at) / Math.max(1, count - 1);
  return [
    { x: 0.5, y: 0 },
    ...Array.from({ length: right }, (_, at) => ({ x: 1, y: down(right, at) })),
    ...Array.from({ length: left }, (_, at) => ({ x: 0, y: down(left, left - 1 - at) })),
  ];
}

export interface Line {
  readonly from: Point;
  readonly to: Point;
}

/** How far the two directions of a link are apart, px. */
const APART = 8;
/** Between a card's edge and where a line begins, px. */
const CLEAR = 7;

/** The line from one card to another, beside the one that leads back. */
export function lineBetween(from: Point, to: Point, card: Size): Line {
  const start = { x: from.x + card.width / 2, y: from.y + card.height / 2 };
  const end = { x: to.x + card.width / 2, y: to.y + card.height / 2 };
  const length = Math.hypot(end.x - start.x, end.y - start.y) || 1;
  const unit = { x: (end.x - start.x) / length, y: (end.y - start.y) / length };
  const aside = asideOf(from, to);
  const out = distanceToEdge(unit, card) + CLEAR;
  return {
    from: { x: start.x + unit.x * out + aside.x, y: start.y + unit.y * out + aside.y },
    to: { x: end.x - unit.x * out + aside.x, y: end.y - unit.y * out + aside.y },
  };
}

/** A line from one card to another that goes round the cards between them. */
export interface Route extends Line {
  /** Where it turns, in order; none where it is straight. */
  readonly bends: readonly Point[];
}

/** `cards` are the top left corners of all cards, those of both ends included. */
export function routeBetween(from: Point, to: Point, card: Size, cards: readonly Point[]): Route {
  const line = lineBetween(from, to, card);
  const others = cards.filter((one) => !isSame(one, from) && !isSame(one, to));
  const isFree = (route: Route): boolean =>
    partsOf(route).every((part) => !others.some((one) => crosses(part, one, card)));
  const straight = { ...line, bends: [] };
  if (isFree(straight)) return straight;
  const corners = others.flatMap((one) => cornersAround(one, card));
  const turns = corners.flatMap((one) => [
    [one],
    ...corners.filter((other) => other !== one).map((other) => [one, other]),
  ]);
  const routes = turns.map((bends) => bentAt(bends, { from, to, card })).filter(isFree);
  return routes.reduce<Route | undefined>(shorter, undefined) ?? straight;
}

const shorter = (one: Route | undefined, other: Route): Route =>
  one === undefined || lengthOf(other) < lengthOf(one) ? other : one;

/** The straight parts of a route. */
export function partsOf({ from, bends, to }: Route): readonly Line[] {
  const points = [from, ...bends, to];
  return points.slice(1).map((point, at) => ({ from: points[at] as Point, to: point }));
}

const isSame = (one: Point, other: Point): boolean => one.x === other.x && one.y === other.y;

export const lengthOf = (route: Route): number =>
  partsOf(route).reduce((length, { from, to }) => length + Math.hypot(to.x - from.x, to.y - from.y), 0);

/** Points a little away from a card's corners: lines that turn there leave it free. */
function cornersAround({ x, y }: Point, { width, height }: Size): readonly Point[] {
  const away = CLEAR + APART / 2;
  return [x - away, x + width + away].flatMap((left) =>
    [y - away, y + height + away].map((top) => ({ x: left, y: top })),
  );
}

/** From card to card by way of these points, beside the route that leads back. */
function bentAt(bends: readonly Point[], { from, to, card }: Line & { readonly card: Size }): Route {
  const asCard = ({ x, y }: Point): Point => ({ x: x - card.width / 2, y: y - card.height / 2 });
  const [first, last] = [bends[0] as Point, bends.at(-1) as Point];
  const aside = asideOf(from, to);
  return {
    from: lineBetween(from, asCard(first), card).from,
    bends: bends.map(({ x, y }) => ({ x: x + aside.x, y: y + aside.y })),
    to: lineBetween(asCard(last), to, card).to,
  };
}

/** Whether any part of a line lies under a card. */
export function crosses({ from, to }: Line, { x, y }: Point, { width, height }: Size): boolean {
  let [enters, leaves] = [0, 1];
  for (const [start, change, least, most] of [
    [from.x, to.x - from.x, x, x + width],
    [from.y, to.y - from.y, y, y + height],
  ] as const) {
    if (change === 0 && (start < least || start > most)) return false;
    if (change === 0) continue;
    const ends = [(least - start) / change, (most - start) / change];
    enters = Math.max(enters, Math.min(...ends));
    leaves = Math.min(leaves, Math.max(...ends));
  }
  return enters <= leaves;
}

/** From the middle of a link to its line in this direction. */
function asideOf(from: Point, to: Point): Point {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  return { x: (-(to.y - from.y) / length) * (APART / 2), y: ((to.x - from.x) / length) * (APART / 2) };
}

/** From a card's middle to its edge, in a direction. */
function distanceToEdge({ x, y }: Point, card: Size): number {
  const across = x === 0 ? Number.POSITIVE_INFINITY : card.width / 2 / Math.abs(x);
  const down = y === 0 ? Number.POSITIVE_INFINITY : card.height / 2 / Math.abs(y);
  return Math.min(across, down);
}

export interface LabelPlace extends Point {
  /** Where the text stands of this point. */
  readonly side: 'left' | 'right' | 'above';
}

/** Beside the middle of a link, on the side that is away from the picture's middle; above it where it is level. */
export function labelPlace(line: Line, back: Line, area: Size): LabelPlace {
  const ends = [line.from, line.to, back.from, back.to];
  const mean = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0) / values.length;
  const middle = { x: mean(ends.map(({ x }) => x)), y: mean(ends.map(({ y }) => y)) };
  const isLevel = Math.abs(line.to.y - line.from.y) < Math.abs(line.to.x - line.from.x) * 0.35;
  if (isLevel) return { x: middle.x, y: middle.y - 12, side: 'above' };
  const side = middle.x < area.width / 2 - 1 ? 'left' : 'right';
  return { x: middle.x + (side === 'left' ? -20 : 20), y: middle.y, side };
}
