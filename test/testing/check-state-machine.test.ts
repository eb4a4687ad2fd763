import { expect, test } from '@jest/globals';
import { KeyValueStore } from '../../src/key-value/store.js';
import type { Capture, Committed } from '../../src/seams/state-machine.js';
import { ConformanceFailure, checkStateMachine, Recorder } from '../../src/testing/index.js';
import { keyValueCommands } from './key-value-commands.js';

const commands = ['one', 'two', 'three', 'four'];

test('a state machine that keeps the rules passes every check: codecs, determinism, capture and restore', async () => {
  const checked = await checkStateMachine(() => new Recorder(), commands);
  expect(checked).toContain('the codec gives every command back');
  expect(checked.join()).toMatch(/P39 the same commands give the same results/);
  expect(checked.join()).toMatch(/capture/);
  expect(await checkStateMachine(() => new KeyValueStore(), keyValueCommands)).toHaveLength(checked.length);
});

class ForgetsTheLast extends Recorder {
  override capture(): Capture {
    const image = new TextEncoder().encode(JSON.stringify(this.commands.slice(0, -1)));
    return { chunks: () => [image], release: () => undefined };
  }
}

/** The image is made when it is read, not when it is captured. */
class CapturesLate extends Recorder {
  override capture(): Capture {
    const chunks = (): Uint8Array[] => [new TextEncoder().encode(JSON.stringify(this.commands))];
    return { chunks, release: () => undefined };
  }
}

let everBefore = 0;
class DiffersBetweenReplicas extends Recorder {
  override apply(batch: readonly Committed<string>[]): readonly number[] {
    return super.apply(batch).map((place) => place + everBefore++);
  }
}

const text = { encode: (value: unknown) => JSON.stringify(value) as never, decode: JSON.parse as never };
const withHash = (hash: () => unknown) => (): Recorder => Object.assign(new Recorder(), { hash }) as never;

test.each([
  [
    withHash(async () => new Uint8Array(8)),
    /hash, where there is one, gives bytes at once.*a Uint8Array, got an object \(Promise\)/,
  ],
  [withHash(() => 'abc'), /a Uint8Array, got "abc"/],
  [() => Object.assign(new Recorder(), { codec: text }), /codec\.encode to return a Uint8Array, got "\\"one/],
  [() => Object.assign(new Recorder(), { resultCodec: text }), /resultCodec\.encode to return a Uint8Array, got "1"/],
  [() => Object.assign(new Recorder(), { apply: () => undefined }), /apply to return an array.*got undefined/],
  [
    () => Object.assign(new Recorder(), { capture: () => ({ chunks: () => ['text'], release: () => undefined }) }),
    /pieces.*Uint8Array, got "text"/,
  ],
  [() => new ForgetsTheLast(), /image|copy|hash/],
  [() => new CapturesLate(), /apply goes on|hash/],
  [() => new DiffersBetweenReplicas(), /P39/],
])('one that breaks a rule is told which: %s', async (make, which) => {
  const failure = await checkStateMachine(make as () => Recorder, commands).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConformanceFailure);
  expect((failure as Error).message).toMatch(which);
});

test('it says what it needs: several commands, a new machine at each call, and both halves of a snapshot', async () => {
  const recorder = new Recorder();
  const half = (): Recorder => Object.assign(new Recorder(), { restore: undefined }) as never;
  for (const [make, given, why] of [
    [() => new Recorder(), ['one'], 'expected at least 3 commands'],
    [() => new Recorder(), undefined as never, 'expected commands to be an array, got undefined'],
    [recorder as never, commands, 'as in () => new Counters(), got an object (Recorder)'],
    [Recorder as never, commands, 'as in () => new Counters(), got the class Recorder'],
    [() => undefined as never, commands, 'codec, resultCodec and apply, got undefined'],
    [() => ({}) as never, commands, 'codec, resultCodec and apply, got an object (Object)'],
    [() => recorder, commands, 'a new state machine at each call'],
    [half, commands, 'both capture and restore, or neither'],
  ] as const) {
    await expect(checkStateMachine(make, given)).rejects.toMatchObject({
      code: 'QUORATE_CONFIG_INVALID',
      message: expect.stringContaining(why),
    });
  }
});
