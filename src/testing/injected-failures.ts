import type { DiskError } from '../seams/disk.js';

/** The codes of disk failures that were brought about on purpose: an end that they caused is no failure of the run. */
export class InjectedFailures {
  readonly #codes = new Set<string>();
  #isEveryHaltExpected = false;

  note(code: string): void {
    this.#codes.add(code);
  }

  /** Whatever it halts for from now on was meant. */
  expectHalt(): void {
    this.#isEveryHaltExpected = true;
  }

  get isEmpty(): boolean {
    return this.#codes.size === 0;
  }

  /** Whether one of them lies at the bottom of this error. */
  caused(error: Error): boolean {
    if (this.#isEveryHaltExpected) return true;
    for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
      if (this.#codes.has((cause as DiskError).code ?? '')) return true;
    }
    return false;
  }

  clear(): void {
    this.#codes.clear();
    this.#isEveryHaltExpected = false;
  }
}
