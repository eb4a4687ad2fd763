import { CostHeap } from './heap.js';
import { DOWN, GoalMap, LEFT, RIGHT, RouteGrid, UP } from './route-grid.js';
import type { Point, RoutedWire, RouteJob, WireWish } from './route-job.js';

const STEP = 1;
const BEND = 7;
/** An arrow's head needs a straight piece before it. */
const BEND_AT_END = 10;
/** Where an arrow enters, in steps for each step that it is away from the target's title. */
const AWAY_FROM_TITLE = 0.12;
const AT_ANOTHER_EXIT = 8;

/** The ways of all arrows, the shortest first; those that find no way are left out. */
export function routeWires(job: RouteJob): readonly RoutedWire[] {
  const grid = new RouteGrid(job);
  const router = new Router(grid);
  const order = [...job.wires].sort((one, other) => distance(one) - distance(other));
  return order.flatMap((wire) => {
    const nodes = router.find(wire);
    if (nodes === null) return [];
    grid.use(nodes, wire.targetNumber);
    return [{ key: wire.key, points: corners(nodes.map((node) => grid.pointOf(node))) }];
  });
}

function distance({ leftX, rightX, y, target }: WireWish): number {
  const beside = (x: number): number => Math.max(0, target.x - x, x - target.x - target.width);
  return Math.min(beside(leftX), beside(rightX)) + Math.max(0, target.y - y, y - target.y - target.height);
}

/** A* over grid points and the direction in which they are reached. */
class Router {
  readonly #grid: RouteGrid;
  readonly #heap = new CostHeap();
  readonly #costs: Float64Array;
  readonly #from: Int32Array;
  /** In which search a state's cost was written: so nothing is cleared between searches. */
  readonly #search: Int32Array;
  #current = 0;

  constructor(grid: RouteGrid) {
    this.#grid = grid;
    this.#costs = new Float64Array(grid.size * 4);
    this.#from = new Int32Array(grid.size * 4);
    this.#search = new Int32Array(grid.size * 4);
  }

  /** Grid points from the source to the target; null where there is no way. */
  find(wire: WireWish): readonly number[] | null {
    const grid = this.#grid;
    const goals = new GoalMap(grid, wire);
    const starts = [grid.nodeAt(wire.leftX, wire.y, 'floor'), grid.nodeAt(wire.rightX, wire.y, 'ceil')] as const;
    this.#current += 1;
    this.#heap.clear();
    this.#reach(starts[0] * 4 + LEFT, 0, -1, goals);
    this.#reach(starts[1] * 4 + RIGHT, 0, -1, goals);
    while (this.#heap.length > 0) {
      const state = this.#heap.pop();
      const node = state >> 2;
      if (goals.isReached(node, state & 3) && !starts.includes(node)) return this.#path(state);
      this.#expand(state, wire, goals, starts.includes(node));
    }
    return null;
  }

  #expand(state: number, wire: WireWish, goals: GoalMap, isStart: boolean): void {
    const grid = this.#grid;
    const node = state >> 2;
    const direction = state & 3;
    for (const next of [RIGHT, DOWN, LEFT, UP]) {
      if (next === ((direction + 2) & 3) || (isStart && next !== direction)) continue;
      const reached = grid.neighbour(node, next);
      if (reached < 0) continue;
      const isGoal = goals.isReached(reached, next);
      if (!isGoal && grid.isBlocked(reached)) continue;
      let cost = (this.#costs[state] as number) + STEP + grid.costOf(reached, next, wire.targetNumber, isGoal);
      if (next !== direction) cost += isGoal ? BEND + BEND_AT_END : BEND;
      if (isGoal) {
        cost += AWAY_FROM_TITLE * goals.fromTitle(reached);
        if (grid.isExit(reached)) cost += AT_ANOTHER_EXIT;
      }
      this.#reach(reached * 4 + next, cost, state, goals);
    }
  }

  #reach(state: number, cost: number, from: number, goals: GoalMap): void {
    const isKnown = this.#search[state] === this.#current;
    if (isKnown && (this.#costs[state] as number) <= cost) return;
    this.#search[state] = this.#current;
    this.#costs[state] = cost;
    this.#from[state] = from;
    this.#heap.push(state, cost + goals.stepsTo(state >> 2));
  }

  #path(goal: number): readonly number[] {
    const nodes: number[] = [];
    for (let state = goal; state >= 0; state = this.#from[state] as number) nodes.push(state >> 2);
    return nodes.reverse();
  }
}

/** Only the points where the way turns, and its ends. */
function corners(points: readonly Point[]): readonly Point[] {
  return points.filter((point, at) => {
    const before = points[at - 1];
    const after = points[at + 1];
    if (before === undefined || after === undefined) return true;
    return !(before.x === point.x && point.x === after.x) && !(before.y === point.y && point.y === after.y);
  });
}
