import { expect, test } from '@jest/globals';
import { LogOutput } from '../../src/node/log-output.js';
import { until } from '../waiting/conditions.js';

const KIB = 1024;

/** A device with so much room; `problem` is what it says where it has none. */
class SmallDevice {
  text = '';
  room = Number.POSITIVE_INFINITY;
  takesAtOnce = Number.POSITIVE_INFINITY;
  problem = 'ENOSPC';
  tries = 0;

  write(bytes: Uint8Array, done: (error: NodeJS.ErrnoException | null, written: number) => void): void {
    setImmediate(() => {
      try {
        done(null, this.writeSync(bytes));
      } catch (error) {
        done(error as NodeJS.ErrnoException, 0);
      }
    });
  }

  writeSync(bytes: Uint8Array): number {
    this.tries += 1;
    const count = Math.min(bytes.byteLength, this.room, this.takesAtOnce);
    if (count === 0) throw Object.assign(new Error(`${this.problem}: no room`), { code: this.problem });
    this.text += Buffer.from(bytes.subarray(0, count)).toString();
    this.room -= count;
    return count;
  }
}

function openOutput(device: SmallDevice): { readonly output: LogOutput; readonly failures: readonly string[] } {
  const failures: string[] = [];
  const output: LogOutput = new LogOutput({
    device,
    failed: (why) => failures.push(why),
    resumed: (lines, why) => output.write(`lost ${lines}: ${why}\n`),
  });
  return { output, failures };
}

const LATE_MS = 60_000;

test('lines are written in their order, however few bytes are taken at once', async () => {
  const device = new SmallDevice();
  const { output, failures } = openOutput(device);
  device.takesAtOnce = 100;
  const lines = Array.from({ length: 1_000 }, (_, at) => `line ${at} ${'x'.repeat(200)}\n`);
  for (const line of lines) output.write(line);
  await output.idle(LATE_MS);
  expect(device.text).toBe(lines.join(''));
  expect(failures).toEqual([]);
});

test('lines that cannot be written are lost, which is told once; later ones are written, after the number of those that were lost', async () => {
  const device = new SmallDevice();
  const { output, failures } = openOutput(device);
  device.room = 0;
  for (const line of ['a\n', 'b\n', 'c\n']) {
    output.write(line);
    await output.idle(LATE_MS);
  }
  expect(failures).toEqual(['ENOSPC']);
  device.room = Number.POSITIVE_INFINITY;
  output.write('d\n');
  await output.idle(LATE_MS);
  expect(device.text).toBe('d\nlost 3: ENOSPC\n');
});

test('a line of which a part is written ends there: the next one is a line of its own', async () => {
  const device = new SmallDevice();
  const { output } = openOutput(device);
  device.room = 5;
  output.write('a\n');
  output.write('half a line\n');
  await output.idle(LATE_MS);
  device.room = Number.POSITIVE_INFINITY;
  output.write('whole\n');
  await output.idle(LATE_MS);
  expect(device.text).toBe('a\nhal\nwhole\nlost 1: ENOSPC\n');
});

test('a line that lacks nothing but its end counts as written', async () => {
  const device = new SmallDevice();
  const { output } = openOutput(device);
  device.room = 1;
  output.write('a\n');
  await output.idle(LATE_MS);
  device.room = Number.POSITIVE_INFINITY;
  output.write('b\n');
  await output.idle(LATE_MS);
  expect(device.text).toBe('a\nb\n');
});

test('what a reader does not read waits for it, up to a bound; lines beyond it are dropped, and their number is told', async () => {
  const device = new SmallDevice();
  const { output, failures } = openOutput(device);
  device.room = 0;
  device.problem = 'EAGAIN';
  output.write('first\n');
  await until(() => device.tries >= 2);
  const long = `${'x'.repeat(KIB - 1)}\n`;
  for (let n = 0; n < 1_500; n += 1) output.write(long);
  expect(failures).toEqual(['nobody reads it']);
  device.room = Number.POSITIVE_INFINITY;
  await output.idle(LATE_MS);
  expect(device.text).toBe(`first\n${long.repeat(KIB)}lost ${1_500 - KIB}: nobody reads it\n`);
  output.write('read again\n');
  await output.idle(LATE_MS);
  expect(device.text.endsWith('reads it\nread again\n')).toBe(true);
});

test('a device that failed while more waited than there was room for is tried again', async () => {
  const device = new SmallDevice();
  const { output } = openOutput(device);
  device.room = 0;
  for (let n = 0; n < 1_500; n += 1) output.write(`${'x'.repeat(KIB - 1)}\n`);
  await output.idle(LATE_MS);
  device.room = Number.POSITIVE_INFINITY;
  output.write('there is room\n');
  await output.idle(LATE_MS);
  expect(device.text).toBe('there is room\nlost 1500: ENOSPC\n');
});

test('the process can end: it writes at once what there is room for, and waits no longer for a reader than it was told to', async () => {
  const device = new SmallDevice();
  const { output, failures } = openOutput(device);
  device.room = 2;
  device.problem = 'EAGAIN';
  for (const line of ['a\n', 'b\n', 'c\n', 'd\n']) output.write(line);
  await until(() => device.tries >= 2);
  await output.idle(1);
  device.room = 4;
  output.finish();
  expect(device.text).toBe('a\nb\nc\n');
  expect(failures).toEqual(['nobody reads it']);
});
