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

/** States that mean waiting or failure in any program, by how people name them; the replica's own are among them. */
const WAITING = /candidate|establishing|recovering|retry|back(ing)?off|suspect|pending|degraded|campaigning/i;
const FAILED = /halted|error|fail/i;

/** Narrower bands are left out, but for those that mean a wait or a failure, as an election that took milliseconds. */
const NARROWEST = 0.0008;

/** The states of an actor over a span of time. */
export function stateBands(system: SystemHistory, actor: ActorHistory, span: TimeSpan): readonly Band[] {
  const length = span.untilMs - span.fromMs;
  const bands: Band[] = [];
  for (const { position, fromMs, untilMs, isNewest } of stays(system, actor, span)) {
    const snapshot = actor.snapshotAt(position);
    const path = leafPaths(snapshot?.value).join(' ‖ ') || (snapshot?.status ?? 'active');
    const from = Math.max(0, (fromMs - span.fromMs) / length);
    const until = Math.min(1, (untilMs - span.fromMs) / length);
    bands.push({ from, until, path, label: '', tone: toneOf(path, isNewest) });
  }
  const isSeen = ({ from, until, tone }: Band): boolean =>
    until === 1 || until - from >= NARROWEST || tone !== 'neutral';
  return merged(bands.filter(isSeen));
}

interface Stay {
  readonly position: Position;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly isNewest: boolean;
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
      found.push({ position, fromMs, untilMs, isNewest: at === changes.length - 1 });
    }
    untilMs = fromMs;
  }
  return found.reverse();
}

/** A band is named by the leaf states that came with it: with parallel regions the others have not changed. */
function labelOf(path: string, before: string | undefined): string {
  const leaves = path.split(' ‖ ');
  const known = before?.split(' ‖ ') ?? [];
  const fresh = leaves.filter((leaf) => !known.includes(leaf));
  if (before === undefined && leaves.length > 1) return `${leaves.length} regions`;
  return (fresh.length === 0 ? leaves : fresh).map((leaf) => leaf.slice(leaf.lastIndexOf('.') + 1)).join(' ‖ ');
}

function toneOf(path: string, isNewest: boolean): Band['tone'] {
  if (FAILED.test(path)) return 'danger';
  if (WAITING.test(path)) return 'wait';
  return isNewest ? 'accent' : 'neutral';
}

/** Bands of the same state that touch are one. */
function merged(bands: readonly Band[]): readonly Band[] {
  const result: Band[] = [];
  for (const band of bands) {
    const before = result.at(-1);
    if (before !== undefined && before.path === band.path && before.until >= band.from) {
      result[result.length - 1] = { ...band, from: before.from, label: before.label };
    } else result.push({ ...band, label: labelOf(band.path, before?.path) });
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
