import { shown } from '../../errors/shown.js';
import { asIndex, asTerm } from '../../raft/numbers-and-ids.js';
import type { AnyStateMachine, Codec, CommandOf, Committed, ResultOf } from '../../seams/state-machine.js';
import type { Checks, ConformanceCase } from './conformance-case.js';
import { ConformanceFailure, casesOf } from './conformance-case.js';
import { areEqual, mustBe, mustBeBytes, mustHold } from './expectations.js';

export interface StateMachinePlace<Machine extends AnyStateMachine> {
  /** A new state machine, to which nothing was applied. */
  make(): Machine;
  /**
   * At least three, of every kind that there is, some of which change the state. They are applied in this order, from the
   * beginning of a log.
   */
  readonly commands: readonly CommandOf<Machine>[];
}

/** What every `StateMachine` must do; `stateMachineSnapshotConformance` has `capture` and `restore`. */
export function stateMachineConformance<Machine extends AnyStateMachine>(
  place: StateMachinePlace<Machine>,
): readonly ConformanceCase[] {
  return casesOf({ ...codecs, ...applying }, async (check) => check(place));
}

/** A state machine that has both halves of a snapshot. */
export type StateMachineWithSnapshots = AnyStateMachine & Required<Pick<AnyStateMachine, 'capture' | 'restore'>>;

/** What `capture` and `restore` of a `StateMachine` must do. */
export function stateMachineSnapshotConformance<Machine extends StateMachineWithSnapshots>(
  place: StateMachinePlace<Machine>,
): readonly ConformanceCase[] {
  return casesOf(snapshots, async (check) => check(place));
}

type Place = StateMachinePlace<AnyStateMachine>;

const codecs: Checks<Place> = {
  'the codec gives every command back': ({ make, commands }) => mustGiveBack(make(), 'codec', commands, 'command'),

  'the result codec gives every result back': async ({ make, commands }) => {
    const results = await applied(make(), commands);
    mustGiveBack(make(), 'resultCodec', results, 'result');
  },
};

const applying: Checks<Place> = {
  'apply gives one result for each command, and none for none': async ({ make, commands }) => {
    const machine = make();
    mustBe('how many results an empty batch has', (await machine.apply([])).length, 0);
    const results = await machine.apply(committed(machine, commands, 0));
    mustBe('how many results a batch has', results.length, commands.length);
  },

  'hash, where there is one, gives bytes at once': async ({ make, commands }) => {
    const machine = make();
    if (machine.hash === undefined) return;
    mustBeBytes('hash of a new one to be', machine.hash());
    await applied(machine, commands);
    mustBeBytes('hash to be', machine.hash());
  },

  'P39 the same commands give the same results and the same state': async ({ make, commands }) => {
    const [first, second] = [make(), make()];
    mustBe('the results of another replica', await applied(first, commands), await applied(second, commands));
    mustBe('the hash of another replica', first.hash?.(), second.hash?.());
    mustBe('the hash, asked again,', first.hash?.(), second.hash?.());
  },

  'P39 the same commands in other batches give the same results and the same state': async ({ make, commands }) => {
    const whole = make();
    const expected = await applied(whole, commands, commands.length);
    for (const size of [1, 2, 3]) {
      const machine = make();
      mustBe(`the results in batches of ${size}`, await applied(machine, commands, size), expected);
      mustBe(`the hash after batches of ${size}`, machine.hash?.(), whole.hash?.());
    }
  },

  'P39 apply asks neither the wall clock nor chance': async ({ make, commands }) => {
    const machine = make();
    const batch = committed(machine, commands, 0);
    const asked: string[] = [];
    const giveBack = [watch(Date, 'now', asked), watch(Math, 'random', asked), watch(performance, 'now', asked)];
    let results: unknown;
    try {
      // The part of an asynchronous apply that runs before it first waits: what runs later may be others' code.
      results = machine.apply(batch);
    } finally {
      for (const undo of giveBack) undo();
    }
    await results;
    mustBe('what apply has asked', asked, []);
  },

  'apply keeps no reference to the batch that it was given': async ({ make, commands }) => {
    const machine = make();
    const batch = [...committed(machine, commands, 0)];
    const results = await machine.apply(batch);
    const [before, count] = [machine.hash?.(), results.length];
    batch.length = 0;
    mustBe('the hash after the batch was emptied', machine.hash?.(), before);
    mustBe('how many results there are after the batch was emptied', results.length, count);
  },

  'decodeInPlace, where there is one, gives commands that are applied as decoded ones are, of bytes that are gone after apply':
    async ({ make, commands }) => {
      const [machine, other] = [make(), make()];
      if (machine.decodeInPlace === undefined) return;
      const results: unknown[] = [];
      for (const [at, one] of committed(machine, commands, 0).entries()) {
        const frame = new Uint8Array(machine.codec.encode(commands[at]));
        results.push(...(await machine.apply([{ ...one, command: machine.decodeInPlace(frame) }])));
        frame.fill(0xa5);
      }
      mustBe('the results', results, await applied(other, commands));
      mustBe('the hash', machine.hash?.(), other.hash?.());
    },

  'hasApplied, where there is one, tells a new state machine from a used one': async ({ make, commands }) => {
    const machine = make();
    if (machine.hasApplied === undefined) return;
    mustBe('hasApplied of a new one', machine.hasApplied(), false);
    await applied(machine, commands);
    mustBe('hasApplied of a used one', machine.hasApplied(), true);
  },

  'two state machines share nothing': async ({ make, commands }) => {
    const [used, untouched] = [make(), make()];
    const before = untouched.hash?.();
    await applied(used, commands);
    mustBe('the hash of one to which nothing was applied', untouched.hash?.(), before);
    mustBe('the results of the second', await applied(untouched, commands), await applied(make(), commands));
  },
};

const snapshots: Checks<StateMachinePlace<StateMachineWithSnapshots>> = {
  'an image that is restored gives the same state, and goes on the same way': async ({ make, commands }) => {
    const original = make();
    await applied(original, commands);
    const copy = make();
    restore(copy, chunksOf(original));
    mustBe('the hash of the copy', copy.hash?.(), original.hash?.());
    mustBe(
      'the results of the same commands once more',
      await applied(copy, commands),
      await applied(original, commands),
    );
    mustBe('the hash of the copy after them', copy.hash?.(), original.hash?.());
  },

  'an image of nothing is restored, too': async ({ make, commands }) => {
    const copy = make();
    await applied(copy, commands);
    restore(copy, chunksOf(make()));
    mustBe('the hash of the copy', copy.hash?.(), make().hash?.());
    mustBe('the results of the copy', await applied(copy, commands), await applied(make(), commands));
  },

  'the image is fixed when capture returns, though apply goes on': async ({ make, commands }) => {
    const half = Math.floor(commands.length / 2);
    const original = make();
    await applied(original, commands.slice(0, half));
    const before = original.hash?.();
    const capture = original.capture();
    await applied(original, commands.slice(half));
    const copy = make();
    restore(copy, [...capture.chunks()]);
    capture.release();
    mustBe('the hash of the copy', copy.hash?.(), before);
  },

  'nothing of a restore shows before finish, or after abort': async ({ make, commands }) => {
    const original = make();
    await applied(original, commands);
    const copy = make();
    const before = copy.hash?.();
    const restoring = copy.restore();
    for (const chunk of chunksOf(original)) restoring.write(chunk);
    mustBe('the hash before finish', copy.hash?.(), before);
    restoring.abort();
    mustBe('the hash after abort', copy.hash?.(), before);
    mustBe('the results after abort', await applied(copy, commands), await applied(make(), commands));
  },

  'chunks belong to whoever has them': async ({ make, commands }) => {
    const original = make();
    await applied(original, commands);
    const copy = make();
    const restoring = copy.restore();
    for (const chunk of chunksOf(original)) {
      const lent = chunk.slice();
      restoring.write(lent);
      lent.fill(0xff);
    }
    restoring.finish();
    mustBe('the hash of the copy', copy.hash?.(), original.hash?.());
  },
};

/** `decode` gets bytes in the middle of a larger array, which are overwritten afterwards, as a frame's are. */
function mustGiveBack<Value>(
  machine: AnyStateMachine,
  name: 'codec' | 'resultCodec',
  values: readonly Value[],
  what: string,
): void {
  const codec: Codec<Value> = machine[name];
  const all = values.map((value) => {
    const bytes = codec.encode(value);
    mustBeBytes(`${name}.encode to return`, bytes);
    return { bytes, copy: bytes.slice() };
  });
  values.forEach((value, at) => {
    const bytes = codec.encode(value);
    mustBe(`the bytes of ${what} ${at + 1}, encoded again,`, bytes, all[at]?.copy);
    const frame = new Uint8Array(bytes.byteLength + 20).fill(0x5a);
    frame.set(bytes, 7);
    const decoded = codec.decode(frame.subarray(7, 7 + bytes.byteLength));
    frame.fill(0xa5);
    mustBe(`${what} ${at + 1}, encoded and decoded,`, decoded, value);
    mustBe(`the bytes of ${what} ${at + 1}, decoded and encoded,`, codec.encode(decoded), all[at]?.copy);
  });
  const isKept = all.every(({ bytes, copy }) => areEqual(bytes, copy));
  mustHold(`the bytes of one ${what} stay the same when another is encoded`, isKept);
}

/** The commands as a leader's log holds them, decoded as every replica gets them. */
function committed<Machine extends AnyStateMachine>(
  { codec }: Machine,
  commands: readonly CommandOf<Machine>[],
  from: number,
): readonly Committed<CommandOf<Machine>>[] {
  return commands.map((command, at) => ({
    index: asIndex(from + at + 1),
    term: asTerm(1),
    timeMs: 1_700_000_000_000 + from + at,
    command: codec.decode(codec.encode(command)) as CommandOf<Machine>,
  }));
}

/** Applies all of them, so many in a batch; the results in one list. */
async function applied<Machine extends AnyStateMachine>(
  machine: Machine,
  commands: readonly CommandOf<Machine>[],
  batchSize = 1,
): Promise<readonly ResultOf<Machine>[]> {
  const results: ResultOf<Machine>[] = [];
  for (let at = 0; at < commands.length; at += batchSize) {
    const ofBatch: unknown = await machine.apply(committed(machine, commands.slice(at, at + batchSize), at));
    if (!Array.isArray(ofBatch))
      throw new ConformanceFailure(`expected apply to return an array of results, got ${shown(ofBatch)}`);
    results.push(...(ofBatch as ResultOf<Machine>[]));
  }
  return results;
}

function chunksOf(machine: StateMachineWithSnapshots): readonly Uint8Array[] {
  const capture = machine.capture();
  const chunks = [...capture.chunks()].map((chunk) => {
    mustBeBytes('the pieces that chunks() gives to be each', chunk);
    return chunk.slice();
  });
  capture.release();
  return chunks;
}

function restore(machine: StateMachineWithSnapshots, chunks: readonly Uint8Array[]): void {
  const restoring = machine.restore();
  for (const chunk of chunks) restoring.write(chunk);
  restoring.finish();
}

/** Notes each call of a function until it is given back. */
function watch(owner: object, name: string, asked: string[]): () => void {
  const real = Reflect.get(owner, name) as (...args: unknown[]) => unknown;
  const noting = (...args: unknown[]): unknown => {
    asked.push(name);
    return Reflect.apply(real, owner, args);
  };
  Reflect.set(owner, name, noting);
  return () => void Reflect.set(owner, name, real);
}
