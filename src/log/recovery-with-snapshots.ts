import type { QuorateError } from '../errors/quorate-error.js';
import { holds } from '../raft/log-shape.js';
import type { Recovered } from '../seams/log-store.js';
import type { FoundSnapshots } from '../seams/snapshot-store.js';
import { noteCut } from './log-beginnings.js';
import { damage } from './log-failures.js';
import { isOther, withRecord } from './log-image.js';
import type { RecoveredLog } from './recovery.js';
import { recoverLog } from './recovery.js';
import { segmentName } from './segment-format.js';
import type { ResolvedLogOptions } from './segmented-log-options.js';
import { snapshotName } from './snapshot-format.js';

/** A directory's content: the log as the store goes on with it (`log`), and as its opener is told of it (`recovered`). */
export interface FoundLog {
  readonly log: RecoveredLog;
  readonly recovered: Recovered;
}

/** Recovers the log, and finds the snapshots that it goes on behind. Fails with DATA_DAMAGED where the two do not meet (P27). */
export function recoverWithSnapshots(
  options: ResolvedLogOptions,
  done: (error: Error | undefined, found?: FoundLog) => void,
): void {
  recoverLog(options, (error, log) => {
    if (log === undefined) return done(error);
    if (options.mark.isSet && !hasBegun(log)) return done(logIsGone(log));
    options.snapshots.open((snapshotError, found) => {
      if (found === undefined) return done(snapshotError);
      const whole = withInstalled(log, found);
      const problem = problemWith(whole, found);
      if (problem === undefined) done(undefined, { log: whole, recovered: recoveredFrom(whole, found) });
      else done(problem);
    });
  });
}

/**
 * The node stopped when a peer's snapshot had taken its place, and before the log said that it begins anew behind it. That it was about
 * to, the log does say; it may have said so of another one since, where the disk did not confirm the name of the first.
 */
function withInstalled(log: RecoveredLog, { snapshots }: FoundSnapshots): RecoveredLog {
  const { installing } = log.image;
  const snapshot = snapshots.find((one) => !installing.every(isOther(one)));
  if (snapshot === undefined || snapshot.index <= log.image.commitIndex || holds(log.image.log, snapshot)) return log;
  const { index, term, timeMs } = snapshot;
  const record = { kind: 'installed', snapshot: { index, term }, timeMs } as const;
  noteCut(record, log.positions, log.beginnings);
  return { ...log, image: withRecord(log.image, record), unwritten: { record, before: log.image } };
}

/** A snapshot stands for what is before the log's first entry; without any, that is lost. */
function problemWith(
  { image, firstSegmentId = 1 }: RecoveredLog,
  { snapshots, damaged }: FoundSnapshots,
): QuorateError | undefined {
  const { previous, lastIndex } = image.log;
  const newest = snapshots[0];
  if (newest !== undefined && newest.index > lastIndex) {
    const what = `it was taken at entry ${newest.index}, and the log ends at ${lastIndex}: the end of the log is gone`;
    return damage(snapshotName(newest.index), 0, what);
  }
  if (previous.index === 0 || snapshots.some((snapshot) => holds(image.log, snapshot))) return undefined;
  // There was a snapshot, and a peer's takes its place.
  if (damaged.length > 0) return undefined;
  const helps = `The file of another node's snapshot at an entry from ${previous.index} to ${lastIndex} would help (docs/operations.md)`;
  const what = `it begins behind entry ${previous.index}: batches or segments before it are gone, and no snapshot reaches so far. ${helps}`;
  return damage(segmentName(firstSegmentId), 0, what);
}

/** Whether any segment has its header. */
const hasBegun = ({ tail }: RecoveredLog): boolean => tail !== null && tail.offset > 0;

function recoveredFrom({ image, tail }: RecoveredLog, { snapshots, damaged }: FoundSnapshots): Recovered {
  const { term, votedFor, commitIndex, lastTimeMs, closed, skips, inVain } = image;
  const log = { ...image.log, durableIndex: image.log.lastIndex };
  const end = { closedCleanly: closed, tornBytes: tail?.tornBytes ?? 0 };
  const found = { snapshots: snapshots.filter((snapshot) => holds(log, snapshot)), damagedSnapshots: damaged };
  return { term, votedFor, log, commitIndex, lastTimeMs, ...end, ...found, skips, inVain };
}

/** The identity file says that there was a log, and no log file has anything. */
function logIsGone({ tail }: RecoveredLog): QuorateError {
  const what = tail === null ? 'the file is missing' : 'it has no header';
  return damage(segmentName(tail?.segmentId ?? 1), 0, `${what}, and this node has had a log`);
}
