import { type ActorHistory, lastUpTo, type Position } from './actor-history.js';
import { leafPaths } from './state-value.js';
import type { SystemHistory } from './system-history.js';

/** A stretch of time in which an actor stayed in one state. Ends are fractions of the time that is shown. */
export interface Band {
  readonly from: number;
  readonly until: number;
  readonly label: string;
  readonly path: string;
  readonly tone: 'accent' | 'wait' | 'danger' | 'neutral';
}

export interface TimeSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** States that mean waiting or failure in any program, by words in their names; the replica's own are among them. */
const WAITING =
  /^(candidate|establishing|recovering|retry|retrying|backoff|backing|suspect|pending|degraded|campaigning)$/;
const FAILED = /^(halted|error|failed|failure|failing)$/;

/** Narrower bands are left out, but for those that mean a wait or a failure, as an election that took milliseconds. */
const NARROWEST = 0.0008;
/** More lanes than these would be too low to read: where there are more regions, the last lane has all that are left. */
const MOST_LANES = 4;

/** The states of an actor over a span of time: a lane of bands, or for a parallel machine one for each of its first regions. */
export function stateLanes(system: SystemHistory, actor: ActorHistory, span: TimeSpan): readonly (readonly Band[])[] {
  const found = stays(system, actor, span);
  const lanes = laneRegions(actor, found).map((regions) => bandsOf(actor, found, span, regions));
  // Only the lane that changed last is marked: otherwise all parallel states would be.
  const newestFrom = Math.max(...lanes.map((bands) => bands.at(-1)?.from ?? 0));
  return lanes.map((bands) =>
    bands.map((band, at) => {
      const isNewest = at === bands.length - 1 && band.from === newestFrom && band.tone === 'neutral';
      return isNewest ? { ...band, tone: 'accent' } : band;
    }),
  );
}

/** The keys of each lane's regions; null alone for a machine without regions. */
function laneRegions(actor: ActorHistory, found: readonly Stay[]): readonly (readonly string[] | null)[] {
  const value = actor.snapshotAt(found.at(-1)?.position ?? -1)?.value;
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length < 2) return [null];
  const alone = keys.length > MOST_LANES ? MOST_LANES - 1 : keys.length;
  const lanes = keys.slice(0, alone).map((key) => [key]);
  return alone === keys.length ? lanes : [...lanes, keys.slice(alone)];
}

function bandsOf(
  actor: ActorHistory,
  found: readonly Stay[],
  span: TimeSpan,
  regions: readonly string[] | null,
): readonly Band[] {
  const length = span.untilMs - span.fromMs;
  const bands = found.map(({ position, fromMs, untilMs }): Band => {
    const snapshot = actor.snapshotAt(position);
    const leaves = leafPaths(snapshot?.value).filter((leaf) => regions?.includes(leaf.split('.')[0] ?? '') ?? true);
    const path = leaves.join(' ‖ ') || (snapshot?.status ?? 'active');
    const from = Math.max(0, (fromMs - span.fromMs) / length);
    const until = Math.min(1, (untilMs - span.fromMs) / length);
    return { from, until, path, label: lastKeys(leaves) || path, tone: toneOf(leaves, path) };
  });
  return merged(bands).filter(({ from, until, tone }) => {
    return until === 1 || until - from >= NARROWEST || tone !== 'neutral';
  });
}

const lastKeys = (leaves: readonly string[]): string =>
  leaves.map((leaf) => leaf.slice(leaf.lastIndexOf('.') + 1)).join(' ‖ ');

interface Stay {
  readonly position: Position;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** From one change of state to the next, oldest first, as far as they touch the span. */
function stays(system: SystemHistory, actor: ActorHistory, span: TimeSpan): readonly Stay[] {
  const { changes, bornAt, goneAt } = actor;
  const timeAt = (position: Position): number => system.timeOf(Math.max(position, system.first)) ?? span.untilMs;
  const found: Stay[] = [];
  let untilMs = goneAt === null ? span.untilMs : timeAt(goneAt);
  for (let at = changes.length - 1; at >= -1 && untilMs > span.fromMs; at -= 1) {
    const position = Math.max(changes[at]?.position ?? bornAt, system.first);
    const fromMs = timeAt(position);
    if (fromMs < span.untilMs && untilMs > fromMs) {
      found.push({ position, fromMs, untilMs });
    }
    untilMs = fromMs;
  }
  return found.reverse();
}

/** By the words of the leaf states' own names, as `backing` and `off` of `backingOff`: `failover` is no failure. */
function toneOf(leaves: readonly string[], path: string): Band['tone'] {
  const words = (lastKeys(leaves) || path).split(/[^A-Za-z]+|(?=[A-Z])/).map((word) => word.toLowerCase());
  if (words.some((word) => FAILED.test(word))) return 'danger';
  return words.some((word) => WAITING.test(word)) ? 'wait' : 'neutral';
}

/** Bands of the same state that touch are one. */
function merged(bands: readonly Band[]): readonly Band[] {
  const result: Band[] = [];
  for (const band of bands) {
    const before = result.at(-1);
    if (before !== undefined && before.path === band.path && before.until >= band.from) {
      result[result.length - 1] = { ...band, from: before.from };
    } else result.push(band);
  }
  return result;
}

/** How many entries there are in each of `parts` equal parts of a span. */
export function density(times: readonly number[], { fromMs, untilMs }: TimeSpan, parts: number): readonly number[] {
  const counts = new Array<number>(parts).fill(0);
  for (let at = lastUpTo(times, fromMs) + 1; at < times.length && (times[at] as number) <= untilMs; at += 1) {
    const part = Math.min(parts - 1, Math.floor((((times[at] as number) - fromMs) / (untilMs - fromMs)) * parts));
    counts[part] = (counts[part] ?? 0) + 1;
  }
  return counts;
}

const STEPS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  1_800_000,
];

/** Round times to mark, about as many as fit. */
export function ticks(
  { fromMs, untilMs }: TimeSpan,
  fitting: number,
): { readonly stepMs: number; readonly atMs: readonly number[] } {
  const wanted = (untilMs - fromMs) / Math.max(1, fitting);
  const stepMs = STEPS_MS.find((step) => step >= wanted) ?? 3_600_000;
  const atMs: number[] = [];
  for (let at = Math.ceil(fromMs / stepMs) * stepMs; at <= untilMs; at += stepMs) atMs.push(at);
  return { stepMs, atMs };
}
