import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import type { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import type { DiskDone, DiskError } from '../seams/disk.js';
import { mayOpenLater } from '../seams/disk.js';
import { cannotTell, clearDeadLock, lockIsLost, pause, WATCHED_BEATS } from './lock-judge.js';
import { isGone, LockPlace } from './lock-place.js';
import type { LockRecord } from './lock-record.js';
import { decodeLock, encodeLock, processState, thisProcess } from './lock-record.js';
import type { LockSocket } from './lock-socket.js';
import { answerAt } from './lock-socket.js';

export interface DirectoryLockOptions {
  readonly directory: string;
  /** Real time: the holder and whoever waits for it may be on different machines. */
  readonly clock: Clock;
  /** Called once, when the lock is found to be another's, or gone. */
  readonly lost: (error: QuorateError) => void;
  readonly beatMs: number;
  readonly watching: (why: string) => void;
}

/** For so many beats after its last one a holder writes without a look at the lock: far fewer than others watch for. */
const TRUSTED_BEATS = 4;
/** A lock that somebody moved by mistake is put back within a moment. */
const SECOND_LOOKS = 3;
/** In each round somebody else was quicker to take the lock, and let it go again. */
const MOST_ROUNDS = 50;

/**
 * Keeps every other process out of a data directory: on this machine, in other containers, and on other machines that share
 * it (P41). Its holder answers at a socket and rewrites the beat in its record. It looks at the record before it does so, and
 * writes nothing more to the directory when the lock is another's, or gone.
 */
export class DirectoryLock {
  readonly #options: DirectoryLockOptions;
  readonly #nonce = randomBytes(8).toString('hex');
  readonly #place: LockPlace;
  #record: Omit<LockRecord, 'beat' | 'version'> | undefined;
  #socket: LockSocket | undefined;
  /** Open for as long as the lock is held: a beat needs no descriptor then. */
  #descriptor: number | undefined;
  #beats = 0;
  /** When the last beat that succeeded was begun. */
  #beatAt = Number.NEGATIVE_INFINITY;
  #beatWallAt = Number.NEGATIVE_INFINITY;
  #isBeating = false;
  #waiting: DiskDone[] = [];
  #timer: unknown;
  #lost: QuorateError | undefined;
  #isReleased = false;

  constructor(options: DirectoryLockOptions) {
    this.#options = options;
    this.#place = new LockPlace(options.directory);
  }

  /** Fails with DATA_LOCKED where the holder lives or cannot be judged, and with the system's own error. */
  async acquire(): Promise<void> {
    try {
      await this.#takeAs(await this.#prepare());
      await this.#beat();
      if (this.#lost !== undefined) throw this.#lost;
    } catch (error) {
      this.#letGo();
      throw error;
    }
    this.#scheduleBeat();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#options.clock.clearTimeout(this.#timer);
    const isOwn = this.#lost === undefined && decodeLock(this.#place.look()?.content ?? '')?.nonce === this.#nonce;
    this.#letGo();
    if (!isOwn) return;
    this.#place.remove(this.#nonce);
    this.#place.discardDead();
  }

  /**
   * Answers without an error once the lock is known to be this process's own: at once where its last beat was a moment ago,
   * and after a look at the lock where the process stood still. Whatever is written after that answer is written in time,
   * unless the process stands still again before the kernel has it.
   */
  confirm(done: DiskDone): void {
    if (this.#lost !== undefined) return done(this.#lost);
    if (this.#isTrusted()) return done(undefined);
    this.#waiting.push(done);
    if (!this.#isBeating) void this.#beat();
  }

  async #prepare(): Promise<string> {
    const { clock, beatMs } = this.#options;
    const { candidate, device, inode } = this.#place.makeCandidate(this.#nonce);
    try {
      this.#socket = await answerAt(candidate, this.#nonce);
      const hasSocket = this.#socket !== undefined;
      this.#record = { ...thisProcess(), nonce: this.#nonce, device, inode, hasSocket, beatMs };
      this.#descriptor = this.#place.writeRecord(candidate, encodeLock(this.#record, 0));
      this.#place.discardLeftBehind(clock.wallNow());
    } catch (error) {
      this.#place.discard(candidate);
      throw error;
    }
    return candidate;
  }

  async #takeAs(candidate: string): Promise<void> {
    const { directory } = this.#options;
    try {
      for (let round = 0; !this.#place.publish(candidate); round += 1) {
        if (round === MOST_ROUNDS) throw cannotTell(directory, 'the lock changes all the time');
        await clearDeadLock({ ...this.#options, place: this.#place });
      }
    } catch (error) {
      this.#place.discard(candidate);
      throw error;
    }
  }

  #isTrusted(): boolean {
    const { clock, beatMs } = this.#options;
    const trustedMs = beatMs * TRUSTED_BEATS;
    // The monotonic clock may stand still while the machine sleeps.
    const isSoon = Math.abs(clock.wallNow() - this.#beatWallAt) < trustedMs;
    return isSoon && clock.now() - this.#beatAt < trustedMs;
  }

  /** Looks whether the lock is this process's own, and shows that it lives. */
  async #beat(): Promise<void> {
    const { clock } = this.#options;
    this.#isBeating = true;
    const [at, wallAt] = [clock.now(), clock.wallNow()];
    const failure = await this.#writeBeat();
    this.#isBeating = false;
    if (failure === undefined) {
      this.#beatAt = at;
      this.#beatWallAt = wallAt;
      if (this.#beats === WATCHED_BEATS) this.#place.discardDead();
    }
    this.#answer(failure);
  }

  #answer(failure: DiskError | undefined): void {
    // The process stood still during the beat: what it saw may be of before.
    if (failure === undefined && this.#waiting.length > 0 && !this.#isTrusted()) return void this.#beat();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done(failure);
  }

  async #writeBeat(): Promise<DiskError | undefined> {
    for (let look = 0; ; look += 1) {
      const found = await this.#isOwn();
      if (found instanceof Error) return found;
      if (found) break;
      if (look === SECOND_LOOKS) return this.#lose();
      await pause(this.#options.clock, this.#options.beatMs / 10);
    }
    return undefined;
  }

  /** Also writes the beat, into the file that was looked at: a network's file system shows it to others when that is closed. */
  async #isOwn(): Promise<boolean | DiskError> {
    let handle: fs.promises.FileHandle | undefined;
    try {
      handle = await fs.promises.open(this.#place.record, 'r+');
      if (decodeLock(await handle.readFile('utf8'))?.nonce !== this.#nonce) return false;
      await handle.write(this.#nextBeat(), 0);
      return true;
    } catch (error) {
      if (mayOpenLater(error as DiskError)) return this.#isOwnByNumber();
      return isGone(error as DiskError) ? false : (error as DiskError);
    } finally {
      await handle?.close().catch(() => undefined);
    }
  }

  /** The same where no descriptor is left. */
  async #isOwnByNumber(): Promise<boolean | DiskError> {
    if (this.#descriptor === undefined) return false;
    try {
      const { dev, ino } = fs.fstatSync(this.#descriptor);
      const named = await fs.promises.stat(this.#place.record);
      if (named.dev !== dev || named.ino !== ino) return false;
      fs.writeSync(this.#descriptor, this.#nextBeat(), 0);
      return true;
    } catch (error) {
      return isGone(error as DiskError) ? false : (error as DiskError);
    }
  }

  #nextBeat(): string {
    this.#beats += 1;
    return encodeLock(this.#record as LockRecord, this.#beats);
  }

  #scheduleBeat(): void {
    if (this.#isReleased || this.#lost !== undefined) return;
    const { clock, beatMs } = this.#options;
    this.#timer = clock.setTimeout(() => {
      const beaten = this.#isBeating ? Promise.resolve() : this.#beat();
      void beaten.then(() => this.#scheduleBeat());
    }, beatMs);
    // A process that has nothing else to do may end.
    (this.#timer as { unref?: () => void } | undefined)?.unref?.();
  }

  #lose(): DiskError | undefined {
    if (this.#isReleased) return undefined;
    const { directory, lost } = this.#options;
    const now = contentOf(this.#place);
    this.#lost = lockIsLost(directory, decodeLock(now ?? ''), now !== undefined);
    this.#letGo();
    lost(this.#lost);
    return this.#lost;
  }

  #letGo(): void {
    this.#socket?.close();
    this.#socket = undefined;
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** The process that has this directory locked now, by its id, as far as it can be seen from here; undefined where none does. */
export function holderOf(directory: string): number | undefined {
  const record = decodeLock(contentOf(new LockPlace(directory)) ?? '');
  return record !== undefined && processState(record) === 'alive' ? record.pid : undefined;
}

/** Undefined, too, where the lock cannot be read: for messages, not for decisions. */
function contentOf(place: LockPlace): string | undefined {
  try {
    return place.look()?.content;
  } catch {
    return undefined;
  }
}
