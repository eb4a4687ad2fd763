/**
 * Where the boxes of a chart stand. Children flow in rows, as words in a paragraph; of many widths the one is kept that lets the
 * whole be shown largest. All edges lie on a grid of five pixels, on which the arrows run.
 */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface LayoutNode {
  readonly path: string;
  readonly isParallel: boolean;
  /** The size of the box's text: its title and its rows. */
  readonly head: Size;
  readonly children: readonly LayoutNode[];
}

export interface Box extends Size {
  readonly path: string;
  /** Where its upper left corner is, from that of the chart. */
  readonly x: number;
  readonly y: number;
  readonly depth: number;
  readonly isLeaf: boolean;
}

export interface ChartLayout extends Size {
  readonly boxes: readonly Box[];
  /** At which the chart fits the view, or 0.9 where that would be too small to read. */
  readonly scale: number;
  /** Whether the chart is larger than the view at this scale. */
  readonly isScrolled: boolean;
}

export const GRID = 5;
/** Room for arrows around the root's children. */
const MARGIN = 20;
const PADDING = 15;
const GAP_X = 20;
const GAP_Y = 30;
const HEAD_GAP = 10;
const TRIED_WIDTHS = 26;
const LARGEST_SCALE = 1.1;
const SMALLEST_TRIED = 0.4;
const SMALLEST_SCALE = 0.8;
const READING_SCALE = 0.9;

interface Placed extends Size {
  readonly node: LayoutNode;
  readonly children: readonly { readonly x: number; readonly y: number; readonly placed: Placed }[];
}

/** `read` keeps text large and lets the view be scrolled where it must; `fit` shows the whole at any scale. */
export type LayoutPurpose = 'read' | 'fit';

/** The layout of a chart for a view of a size, both in pixels. */
export function layOut(root: LayoutNode, view: Size, purpose: LayoutPurpose): ChartLayout {
  const natural = naturalOf(root);
  let best = natural;
  for (let tried = 0; tried < TRIED_WIDTHS; tried += 1) {
    const wanted = LARGEST_SCALE - ((LARGEST_SCALE - SMALLEST_TRIED) * tried) / (TRIED_WIDTHS - 1);
    const placed = place(root, view.width / wanted - 2 * MARGIN);
    if (scaleOf(placed, view) > scaleOf(best, view) + 1e-6) best = placed;
  }
  const scale = scaleOf(best, view);
  if (scale >= SMALLEST_SCALE || purpose === 'fit') return laidOut(best, scale, false);
  return laidOut(place(root, view.width / READING_SCALE - 2 * MARGIN), READING_SCALE, true);
}

function laidOut(placed: Placed, scale: number, isScrolled: boolean): ChartLayout {
  const boxes: Box[] = [];
  flatten(placed, MARGIN, MARGIN, 0, boxes);
  return { width: placed.width + 2 * MARGIN, height: placed.height + 2 * MARGIN, boxes, scale, isScrolled };
}

function flatten({ node, width, height, children }: Placed, x: number, y: number, depth: number, into: Box[]): void {
  into.push({ path: node.path, x, y, width, height, depth, isLeaf: node.children.length === 0 });
  for (const child of children) flatten(child.placed, x + child.x, y + child.y, depth + 1, into);
}

function scaleOf({ width, height }: Size, view: Size): number {
  return Math.min(LARGEST_SCALE, view.width / (width + 2 * MARGIN), view.height / (height + 2 * MARGIN));
}

/** The root has no box of its own. */
const padding = (node: LayoutNode): number => (node.path === '' ? 0 : PADDING);

const onGrid = (length: number): number => Math.ceil(length / GRID) * GRID;

/** Each subtree in one row, which all tried widths ask for. */
const naturals = new WeakMap<LayoutNode, Placed>();

function naturalOf(node: LayoutNode): Placed {
  const known = naturals.get(node);
  if (known !== undefined) return known;
  const placed = place(node, Number.POSITIVE_INFINITY);
  naturals.set(node, placed);
  return placed;
}

function place(node: LayoutNode, limit: number): Placed {
  if (node.children.length === 0) {
    return { node, width: onGrid(node.head.width), height: onGrid(node.head.height), children: [] };
  }
  const pad = padding(node);
  const inner = Math.max(0, limit - 2 * pad);
  const rows = node.isParallel ? firstFit(node.children, inner) : flow(node.children, inner);
  const width = onGrid(Math.max(node.head.width - 2 * pad, ...rows.map(widthOf)));
  const filled = node.isParallel ? rows.map((row) => stretched(row, width)) : rows;
  const children: { x: number; y: number; placed: Placed }[] = [];
  let y = node.head.height === 0 ? pad : onGrid(node.head.height) + HEAD_GAP;
  for (const row of filled) {
    let x = pad;
    for (const placed of row) {
      children.push({ x, y, placed });
      x += placed.width + GAP_X;
    }
    y += Math.max(...row.map(({ height }) => height)) + GAP_Y;
  }
  return { node, width: width + 2 * pad, height: y - GAP_Y + pad, children };
}

/** In its natural size where that fits the width at all. */
function placeIn(node: LayoutNode, inner: number): Placed {
  const natural = naturalOf(node);
  return natural.width <= inner ? natural : place(node, inner);
}

function flow(children: readonly LayoutNode[], inner: number): readonly (readonly Placed[])[] {
  const rows: Placed[][] = [];
  for (const child of children) {
    const placed = placeIn(child, inner);
    const row = rows.at(-1);
    if (row !== undefined && widthOf(row) + GAP_X + placed.width <= inner) row.push(placed);
    else rows.push([placed]);
  }
  return rows;
}

/** Each goes into the first row that has room for it. */
function firstFit(children: readonly LayoutNode[], inner: number): readonly (readonly Placed[])[] {
  const rows: Placed[][] = [];
  for (const child of children) {
    const placed = placeIn(child, inner);
    const row = rows.find((one) => widthOf(one) + GAP_X + placed.width <= inner);
    if (row === undefined) rows.push([placed]);
    else row.push(placed);
  }
  return rows;
}

const widthOf = (row: readonly Size[]): number => row.reduce((sum, { width }) => sum + width + GAP_X, -GAP_X);

/** A region that stands alone in its row is as wide as the row. */
function stretched(row: readonly Placed[], width: number): readonly Placed[] {
  return row.length === 1 ? row.map((placed) => ({ ...placed, width: Math.max(placed.width, width) })) : row;
}
