import { shown } from '../errors/shown.js';
import type { Index, Term } from '../raft/numbers-and-ids.js';
import type { Capture, Codec, Committed, Restore, StateMachine } from '../seams/state-machine.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const textCodec: Codec<string> = {
  encode: (text: unknown) => {
    if (typeof text === 'string') return encoder.encode(text);
    throw new TypeError(
      `expected a string, got ${shown(text)}: a Recorder takes strings, and simulate({ stateMachine }) runs a state machine of yours`,
    );
  },
  decode: (bytes) => decoder.decode(bytes),
};

const numberCodec: Codec<number> = {
  encode: (value) => encoder.encode(String(value)),
  decode: (bytes) => Number(decoder.decode(bytes)),
};

/** A state machine that remembers every command in order: what a test wants to look at. Its result is the command's place, from 1. */
export class Recorder implements StateMachine<string, number> {
  readonly codec = textCodec;
  readonly resultCodec = numberCodec;
  readonly commands: string[] = [];
  readonly #onApply: (committed: { index: Index; term: Term; command: string }) => void;

  constructor(onApply: (committed: { index: Index; term: Term; command: string }) => void = () => undefined) {
    this.#onApply = onApply;
  }

  apply(batch: readonly Committed<string>[]): readonly number[] {
    return batch.map((committed) => {
      this.#onApply(committed);
      return this.commands.push(committed.command);
    });
  }

  capture(): Capture {
    const image = encoder.encode(JSON.stringify(this.commands));
    return { chunks: () => [image], release: () => undefined };
  }

  restore(): Restore {
    let text = '';
    return {
      write: (chunk) => {
        text += decoder.decode(chunk, { stream: true });
      },
      finish: () => void this.commands.splice(0, this.commands.length, ...(JSON.parse(text) as string[])),
      abort: () => undefined,
    };
  }

  hash(): Uint8Array {
    return encoder.encode(this.commands.join('\n'));
  }
}
