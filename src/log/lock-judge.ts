import os from 'node:os';
import type { Clock } from '../seams/clock.js';
import { cannotTell, inUse, whyWatched } from './lock-errors.js';
import type { FoundLock, LockPlace } from './lock-place.js';
import type { LockRecord } from './lock-record.js';
import { decodeLock, decodeOldLock, isOfThisKernel, processState } from './lock-record.js';
import { probe } from './lock-socket.js';

export interface LockJudgeOptions {
  readonly directory: string;
  readonly place: LockPlace;
  readonly clock: Clock;
  /** For locks that do not say how often they beat. */
  readonly beatMs: number;
  /** Told why a start takes longer, when a lock has to be watched. */
  readonly watching: (why: string) => void;
}

/** A holder is dead when its record stays the same for so many beats in a row. */
export const WATCHED_BEATS = 10;

/**
 * Finds out whether a lock's holder lives, by what proves it (P41). Returns when the lock is out of the way, or has changed;
 * throws DATA_LOCKED where its holder lives, or cannot be judged. In this order:
 * - its process is gone from this process's own namespace, or alive there;
 * - its socket takes connections; or refuses them, on the same kernel and the same device: nobody listens there any more;
 * - its record changes, or does not change, for ten beats.
 */
export async function makeWay(options: LockJudgeOptions): Promise<void> {
  const { directory, place, clock } = options;
  const found = place.look();
  if (found === undefined) return;
  if (found.isFile) throw refusalOfOld(directory, found);
  const { content } = found;
  const record = decodeLock(content);
  if (record === undefined) return watch(options, content, undefined);
  const state = processState(record);
  if (state === 'dead') return place.bury(content);
  const isCopy = place.isCopy(record);
  if (state === 'alive' && !isCopy) throw inUse(directory, record);
  if (!record.hasSocket) return watch(options, content, record);
  const proof = await probe(place.lock, clock);
  if (proof.kind === 'silent') throw inUse(directory, record, 'it is there and does not answer: it may be stopped');
  if (proof.kind === 'answered' && proof.nonce === record.nonce) throw inUse(directory, record);
  if (proof.kind === 'answered') return;
  if (proof.kind === 'refused' && isOfThisKernel(record) && !isCopy) return place.bury(content);
  return watch(options, content, record);
}

/**
 * The same record for all the beats that a holder was to show: nobody holds the lock. Beats are counted here and no time is
 * measured, for time passes while the whole machine stands still, this process and the holder with it.
 */
async function watch(options: LockJudgeOptions, content: string, record: LockRecord | undefined): Promise<void> {
  const { directory, place, clock } = options;
  const beatMs = record?.beatMs ?? options.beatMs;
  options.watching(whyWatched(directory, record, WATCHED_BEATS * beatMs));
  for (let beat = 0; beat < WATCHED_BEATS; beat += 1) {
    await pause(clock, beatMs);
    const now = place.look()?.content;
    if (now === content) continue;
    const hasBeaten = record !== undefined && decodeLock(now ?? '')?.nonce === record.nonce;
    if (hasBeaten) throw inUse(directory, record);
    return;
  }
  place.bury(content);
}

/** Version 0.1 showed no sign of life: its holder is known to live where its process is seen, and otherwise not known of. */
function refusalOfOld(directory: string, { content }: FoundLock): Error {
  const old = decodeOldLock(content);
  if (old === undefined) return cannotTell(directory, 'the lock is a file that cannot be read');
  if (old.isHere) return inUse(directory, { pid: old.pid, host: os.hostname() });
  return cannotTell(directory, `process ${old.pid}, of version 0.1 of Quorate`);
}

export const pause = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimeout(() => resolve(), ms));
