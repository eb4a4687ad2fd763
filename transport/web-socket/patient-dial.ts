import type { Socket } from 'node:net';
import type { TcpDialOptions } from './tcp-dial.js';
import { TcpDial } from './tcp-dial.js';

export interface PatientDialOptions extends TcpDialOptions {
  /** A fresh attempt begins beside the first one after so many ms without an answer, and takes the place of the fresh one before after as many more. */
  readonly freshAfterMs: number;
  /** Comes once, when the first fresh attempt begins. */
  readonly delayed: () => void;
  /** Begins an attempt. Default: over TCP. */
  readonly dial?: (options: TcpDialOptions) => Attempt;
}

type Attempt = Pick<TcpDial, 'ageMs' | 'cancel'>;

/**
 * A dial over a way that may be long, or cut. The first attempt waits for an answer that takes its time: over a way of 300 ms no attempt of
 * 150 ms would ever end well. Beside it a fresh one begins again and again: once a cut heals, that one is through at
 * once, while what the cut swallowed is repeated by the kernel only after 1 s, 3 s, 7 s.
 */
export class PatientDial {
  readonly #options: PatientDialOptions;
  readonly #first: Attempt;
  #fresh: Attempt | undefined;
  #timer: unknown;
  #isOver = false;

  constructor(options: PatientDialOptions) {
    this.#options = options;
    this.#first = this.#dial();
    this.#timer = options.clock.setTimeout(() => {
      options.delayed();
      this.#beginFresh();
    }, options.freshAfterMs);
  }

  get ageMs(): number {
    return this.#first.ageMs;
  }

  /** Ends it; `done` does not come any more. */
  cancel(): void {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#timer);
    this.#first.cancel();
    this.#fresh?.cancel();
  }

  #beginFresh(): void {
    if (this.#isOver) return;
    const { clock, freshAfterMs } = this.#options;
    this.#fresh?.cancel();
    this.#fresh = this.#dial();
    this.#timer = clock.setTimeout(() => this.#beginFresh(), freshAfterMs);
  }

  /** The first attempt that ends, with a connection or an error, ends all of them. */
  #dial(): Attempt {
    const { dial = (one) => new TcpDial(one), ...options } = this.#options;
    const done = (error: Error | undefined, socket?: Socket): void => {
      this.cancel();
      options.done(error, socket);
    };
    return dial({ ...options, done });
  }
}
