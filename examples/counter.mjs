import { counters } from './counter-service.mjs';

/** A state machine of your own: counters by name. */
export class Counters {
  codec = counters.command;
  /** Results travel too: a node that does not lead passes its callers' commands on. */
  resultCodec = counters.result;
  /** What clients and HTTP have of it. */
  service = counters;

  #counts = new Map();

  /** One result for each command, in order. Nothing here reads a clock, draws chance, or fails for some replicas only. */
  apply(batch) {
    return batch.map(({ command: { name, by } }) => {
      const count = (this.#counts.get(name) ?? 0) + by;
      this.#counts.set(name, count);
      return count;
    });
  }

  count(name) {
    return this.#counts.get(name) ?? 0;
  }

  /** An image of the whole state, fixed now, though `apply` goes on. */
  capture() {
    const image = new TextEncoder().encode(JSON.stringify([...this.#counts]));
    return { chunks: () => [image], release: () => undefined };
  }

  /** Takes such an image in; nothing of it shows before `finish`. */
  restore() {
    const decoder = new TextDecoder();
    let text = '';
    return {
      write: (chunk) => {
        text += decoder.decode(chunk, { stream: true });
      },
      finish: () => {
        this.#counts = new Map(JSON.parse(text));
      },
      abort: () => undefined,
    };
  }

  /** Of the whole state, and the same for equal states, whatever the order in which a Map was filled (P39). */
  hash() {
    return new TextEncoder().encode(JSON.stringify([...this.#counts].sort()));
  }
}
