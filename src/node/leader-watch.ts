import type { Notice } from '../raft/effects.js';
import type { Clock } from '../seams/clock.js';

export interface LeaderWatchOptions {
  readonly clock: Clock;
  /** How long an ordinary change of leader may take before it is worth a line. */
  readonly patienceMs: number;
  readonly why: () => string | undefined;
  readonly tell: (why: string) => void;
}

/** Says why there is no leader: one line when that lasts, and one more whenever the reason becomes another. */
export class LeaderWatch {
  readonly #options: LeaderWatchOptions;
  #timer: unknown;
  #told: string | undefined;

  constructor(options: LeaderWatchOptions) {
    this.#options = options;
  }

  notice(notice: Notice): void {
    if (notice.type !== 'leader.changed') return;
    if (notice.leaderId === null) this.start();
    else this.stop();
  }

  start(): void {
    this.#timer ??= this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#look();
    }, this.#options.patienceMs);
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#told = undefined;
  }

  #look(): void {
    const why = this.#options.why();
    if (why === undefined) return;
    if (kindOf(why) !== this.#told) this.#options.tell(why);
    this.#told = kindOf(why);
    this.start();
  }
}

/** The same reason with other numbers is no news. */
function kindOf(why: string): string {
  return why.replace(/\d+/g, '#').replace(/votes of .*/, '');
}
