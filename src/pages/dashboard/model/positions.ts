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
  const aside = { x: (-unit.y * APART) / 2, y: (unit.x * APART) / 2 };
  const out = distanceToEdge(unit, card) + CLEAR;
  return {
    from: { x: start.x + unit.x * out + aside.x, y: start.y + unit.y * out + aside.y },
    to: { x: end.x - unit.x * out + aside.x, y: end.y - unit.y * out + aside.y },
  };
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
