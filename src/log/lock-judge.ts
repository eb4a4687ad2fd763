import os from 'node:os';
import { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
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
export async function clearDeadLock(options: LockJudgeOptions): Promise<void> {
  const { directory, place, clock } = options;
  const found = place.look();
  if (found === undefined) return;
  if (found.isFile) throw refusalOfOld(directory, found);
  const { content } = found;
  const record = decodeLock(content);
  if (record === undefined) return watch(options, content, undefined);
  const state = processState(record);
  if (state === 'dead') return place.moveAside(content);
  const isCopy = place.isCopy(record);
  if (state === 'alive' && !isCopy) throw inUse(directory, record);
  if (!record.hasSocket) return watch(options, content, record);
  const proof = await probe(place.lock, clock);
  if (proof.kind === 'silent') throw inUse(directory, record, 'it is there and does not answer: it may be stopped');
  if (proof.kind === 'answered' && proof.nonce === record.nonce) throw inUse(directory, record);
  if (proof.kind === 'answered') return;
  if (proof.kind === 'refused' && isOfThisKernel(record) && !isCopy) return place.moveAside(content);
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
  place.moveAside(content);
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

interface Holder {
  readonly pid: number;
  readonly host: string;
}

const nameOf = ({ pid, host }: Holder): string => `process ${pid} on ${host}`;

function inUse(directory: string, holder: Holder, how = 'it is alive'): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `${directory} is in use by ${nameOf(holder)} (${how}): stop it, or start this node with another data directory`,
    { details: { directory, pid: holder.pid, host: holder.host } },
  );
}

export function cannotTell(directory: string, holder: string): QuorateError {
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `${directory} is locked, and whether its holder lives cannot be told from here (${holder}). Make sure that no process uses ` +
      `the directory, on this machine, in another container or on another machine; then remove ${directory}/lock and start again`,
    { details: { directory } },
  );
}

function whyWatched(directory: string, holder: Holder | undefined, watchMs: number): string {
  const who =
    holder === undefined ? 'by nobody who can be named' : `by ${nameOf(holder)}, which cannot be seen from here`;
  return `${directory} is locked ${who}: watching the lock for a sign of life, ${watchMs / 1_000} s`;
}

export function lockIsLost(directory: string, holder: Holder | undefined, isThere: boolean): QuorateError {
  let what = isThere ? 'it names nobody' : 'it is gone';
  if (holder !== undefined) what = `it belongs to ${nameOf(holder)} now`;
  return new QuorateError(
    'QUORATE_DATA_LOCKED',
    `this process no longer holds the lock of ${directory}: ${what}. The process was stopped for too long, or somebody removed ` +
      'the lock. It writes nothing any more; start this node again when no other process uses the directory',
    { details: { directory, ...(holder === undefined ? {} : { pid: holder.pid, host: holder.host }) } },
  );
}
