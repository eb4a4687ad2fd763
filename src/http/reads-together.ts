import type { Consistency } from '../calls/call-options.js';

/** A read that a client asked for, and how to answer it once the state machine may be read. */
export interface AskedRead {
  readonly id: number;
  readonly answer: () => Uint8Array;
}

/** Reads of one frame that one question to the node answers. */
export interface TogetherRead {
  readonly reads: readonly AskedRead[];
  readonly timeoutMs: number;
  readonly consistency: Consistency;
}

/** The reads of one frame, gathered: those that may take equally long, with the same consistency, share one round. */
export class ReadsTogether implements Iterable<TogetherRead> {
  readonly #gathered = new Map<string, TogetherRead & { readonly reads: AskedRead[] }>();

  add(read: AskedRead, timeoutMs: number, consistency: Consistency): void {
    const key = `${consistency} ${timeoutMs}`;
    const together = this.#gathered.get(key);
    if (together === undefined) this.#gathered.set(key, { reads: [read], timeoutMs, consistency });
    else together.reads.push(read);
  }

  [Symbol.iterator](): Iterator<TogetherRead> {
    return this.#gathered.values();
  }
}
