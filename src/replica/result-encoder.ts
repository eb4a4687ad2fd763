import { shown } from '../errors/shown.js';
import type { Codec } from '../seams/state-machine.js';

/**
 * Encodes results for the callers of other nodes. A codec that cannot encode a result is a mistake in the state machine: it
 * is told once, by the node where it happened, because the other node only sees that no result came.
 */
export class ResultEncoder<Result> {
  readonly #codec: Codec<Result>;
  readonly #tell: (problem: string) => void;
  #hasChecked = false;
  #hasTold = false;

  constructor(codec: Codec<Result>, tell: (problem: string) => void) {
    this.#codec = codec;
    this.#tell = tell;
  }

  /** The result as bytes; undefined where the codec throws or makes no bytes of it. */
  encode(result: Result): Uint8Array | undefined {
    try {
      const bytes: unknown = this.#codec.encode(result);
      if (bytes instanceof Uint8Array) return bytes;
      this.#report(`expected a Uint8Array, got ${shown(bytes)}`);
    } catch (error) {
      this.#report(`it threw ${error}`);
    }
    return undefined;
  }

  /** Tries the first result of a caller of this node, which needs no encoding: a cluster of one would never notice otherwise. */
  checkOnce(result: Result): void {
    if (this.#hasChecked) return;
    this.#hasChecked = true;
    this.encode(result);
  }

  #report(what: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#tell(
      `the state machine's resultCodec.encode failed: ${what}. Commands are applied, but callers at other nodes are told that the outcome is unknown`,
    );
  }
}
