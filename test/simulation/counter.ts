import type { Capture, Committed, Restore, StateMachine } from '../../src/seams/index.js';

type Command = { readonly add: number };

const text = new TextEncoder();
const codecOf = <Value>() => ({
  encode: (value: Value): Uint8Array => text.encode(JSON.stringify(value)),
  decode: (bytes: Uint8Array): Value => JSON.parse(new TextDecoder().decode(bytes)) as Value,
});

/** A state machine as a user writes one: adds numbers, and answers with the sum. */
export class Counter implements StateMachine<Command, number> {
  readonly codec = codecOf<Command>();
  readonly resultCodec = codecOf<number>();
  sum = 0;

  apply(batch: readonly Committed<Command>[]): readonly number[] {
    return batch.map(({ command }) => {
      this.sum += command.add;
      return this.sum;
    });
  }

  capture(): Capture {
    const image = text.encode(String(this.sum));
    return { chunks: () => [image], release: () => undefined };
  }

  restore(): Restore {
    throw new Error('snapshots are not in this version');
  }

  hash(): Uint8Array {
    return text.encode(String(this.sum));
  }
}
