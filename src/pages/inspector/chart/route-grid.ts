import { GRID } from './layout.js';
import type { Point, Rect, RouteJob, WireWish } from './route-job.js';

export const RIGHT = 0;
export const DOWN = 1;
export const LEFT = 2;
export const UP = 3;

const CROSSES_BORDER = 3;
const ALONG_BORDER = 16;
const ON_ANOTHER = 14;
const BESIDE_ANOTHER = 4;
const CROSSES_ANOTHER = 2.5;
const SHARED = -0.6;

const BLOCKED = 1;
/** The point lies on an upright border. */
const UPRIGHT = 2;
/** The point lies on a level border. */
const LEVEL = 4;
/** A row's arrow leaves here. */
const EXIT = 8;

/** The points on which arrows run, what stands in their way, and which arrows use them already. */
export class RouteGrid {
  readonly columns: number;
  readonly rows: number;
  readonly #marks: Uint8Array;
  /** Number of the target of the arrow that runs level, or upright, over a point; 0 for none. */
  readonly #level: Int32Array;
  readonly #upright: Int32Array;

  constructor({ width, height, solids, frames, texts, wires }: RouteJob) {
    this.columns = Math.ceil(width / GRID) + 1;
    this.rows = Math.ceil(height / GRID) + 1;
    this.#marks = new Uint8Array(this.size);
    this.#level = new Int32Array(this.size);
    this.#upright = new Int32Array(this.size);
    for (const rect of frames) this.#frame(rect);
    for (const rect of solids) this.#block(rect, 0);
    for (const rect of texts) this.#block(rect, 1);
    for (const { leftX, rightX, y } of wires) {
      this.#mark(this.nodeAt(leftX, y, 'floor'), EXIT);
      this.#mark(this.nodeAt(rightX, y, 'ceil'), EXIT);
    }
  }

  get size(): number {
    return this.columns * this.rows;
  }

  nodeAt(x: number, y: number, rounded: 'floor' | 'ceil' | 'round'): number {
    return Math.round(y / GRID) * this.columns + Math[rounded](x / GRID);
  }

  pointOf(node: number): Point {
    return { x: (node % this.columns) * GRID, y: Math.floor(node / this.columns) * GRID };
  }

  /** -1 beyond the edge. */
  neighbour(node: number, direction: number): number {
    const column = node % this.columns;
    if (direction === RIGHT) return column + 1 < this.columns ? node + 1 : -1;
    if (direction === LEFT) return column > 0 ? node - 1 : -1;
    const reached = direction === DOWN ? node + this.columns : node - this.columns;
    return reached >= 0 && reached < this.size ? reached : -1;
  }

  isBlocked(node: number): boolean {
    return ((this.#marks[node] as number) & BLOCKED) !== 0;
  }

  isExit(node: number): boolean {
    return ((this.#marks[node] as number) & EXIT) !== 0;
  }

  /** The cost of a step onto a point, beyond that of the step itself. */
  costOf(node: number, direction: number, target: number, isGoal: boolean): number {
    const isLevel = direction === RIGHT || direction === LEFT;
    const along = isLevel ? this.#level : this.#upright;
    const across = isLevel ? this.#upright : this.#level;
    const side = isLevel ? this.columns : 1;
    const mark = this.#marks[node] as number;
    let cost = 0;
    if (!isGoal && (mark & (isLevel ? UPRIGHT : LEVEL)) !== 0) cost += CROSSES_BORDER;
    if (!isGoal && (mark & (isLevel ? LEVEL : UPRIGHT)) !== 0) cost += ALONG_BORDER;
    const used = along[node] as number;
    if (used !== 0) cost += used === target ? SHARED : ON_ANOTHER;
    else if (isOther(along[node - side], target) || isOther(along[node + side], target)) cost += BESIDE_ANOTHER;
    if (isOther(across[node], target)) cost += CROSSES_ANOTHER;
    return cost;
  }

  /** Notes that an arrow runs over these points. */
  use(nodes: readonly number[], target: number): void {
    nodes.forEach((node, at) => {
      for (const other of [nodes[at - 1], nodes[at + 1]]) {
        if (other === undefined) continue;
        const used = Math.abs(other - node) === 1 ? this.#level : this.#upright;
        used[node] = target;
      }
    });
  }

  #mark(node: number, bit: number): void {
    this.#marks[node] = (this.#marks[node] as number) | bit;
  }

  /** Blocks the points in a rectangle, but for those nearer than `inset` pixels to its edge. */
  #block({ x, y, width, height }: Rect, inset: number): void {
    for (let row = Math.ceil((y + inset) / GRID); row <= Math.floor((y + height - inset) / GRID); row += 1) {
      for (let column = Math.ceil((x + inset) / GRID); column <= Math.floor((x + width - inset) / GRID); column += 1) {
        this.#mark(row * this.columns + column, BLOCKED);
      }
    }
  }

  #frame(rect: Rect): void {
    for (const node of levelEdges(this, rect)) this.#mark(node, LEVEL);
    for (const node of uprightEdges(this, rect)) this.#mark(node, UPRIGHT);
  }
}

const isOther = (used: number | undefined, target: number): boolean =>
  used !== undefined && used !== 0 && used !== target;

function levelEdges(grid: RouteGrid, { x, y, width, height }: Rect): readonly number[] {
  return [y, y + height].flatMap((edge) => {
    const first = grid.nodeAt(x, edge, 'round');
    return Array.from({ length: Math.round(width / GRID) + 1 }, (_, step) => first + step);
  });
}

function uprightEdges(grid: RouteGrid, { x, y, width, height }: Rect): readonly number[] {
  return [x, x + width].flatMap((edge) => {
    const first = grid.nodeAt(edge, y, 'round');
    return Array.from({ length: Math.round(height / GRID) + 1 }, (_, step) => first + step * grid.columns);
  });
}

/** Where an arrow may end: on its target's border, crossing it at a right angle, and not at a corner. */
export class GoalMap {
  readonly #directions = new Map<number, number>();
  readonly #grid: RouteGrid;
  readonly #target: Rect;

  constructor(grid: RouteGrid, { target, isInside }: WireWish) {
    this.#grid = grid;
    this.#target = target;
    const { x, y, width, height } = target;
    const add = (nodes: readonly number[], inwards: number): void => {
      const direction = isInside ? (inwards + 2) & 3 : inwards;
      for (const node of nodes) this.#directions.set(node, direction);
    };
    const level = levelEdges(grid, { x: x + GRID, y, width: width - 2 * GRID, height });
    add(level.slice(0, level.length / 2), DOWN);
    add(level.slice(level.length / 2), UP);
    const upright = uprightEdges(grid, { x, y: y + GRID, width, height: height - 2 * GRID });
    add(upright.slice(0, upright.length / 2), RIGHT);
    add(upright.slice(upright.length / 2), LEFT);
  }

  isReached(node: number, direction: number): boolean {
    return this.#directions.get(node) === direction;
  }

  /** Steps at least to the target's border. */
  stepsTo(node: number): number {
    const { x, y } = this.#grid.pointOf(node);
    const { x: left, y: top, width, height } = this.#target;
    const isWithin = x >= left && x <= left + width && y >= top && y <= top + height;
    if (isWithin) return 0;
    return (Math.max(0, left - x, x - left - width) + Math.max(0, top - y, y - top - height)) / GRID;
  }

  /** Steps along the border from the target's title. */
  fromTitle(node: number): number {
    const { x, y } = this.#grid.pointOf(node);
    return (Math.max(0, x - this.#target.x - 40) + Math.max(0, y - this.#target.y - 15)) / GRID;
  }
}
