import { expect, test } from '@jest/globals';
import { Call } from '../../src/client/call.js';
import { CallsUnderWay } from '../../src/client/calls-under-way.js';

const aCall = (): Call =>
  new Call({
    operation: 'get',
    payload: new Uint8Array(0),
    deadlineMs: 0,
    signal: undefined,
    waitsOutOverload: true,
    decode: () => undefined,
    resolve: () => undefined,
    reject: () => undefined,
  });

test('each call is found by its own id, once', () => {
  const calls = new CallsUnderWay();
  const [one, two] = [aCall(), aCall()];
  const [first, second] = [calls.add(one), calls.add(two)];
  expect(calls.take(first)).toBe(one);
  expect(calls.take(first)).toBeUndefined();
  expect(calls.take(second)).toBe(two);
  expect(calls.size).toBe(0);
});

test('a late answer is nobody’s, though its slot has another call by now', () => {
  const calls = new CallsUnderWay();
  const late = calls.add(aCall());
  calls.take(late);
  for (let n = 0; n < 100_000; n += 1) {
    const call = aCall();
    const id = calls.add(call);
    expect(id).not.toBe(late);
    if (calls.take(late) !== undefined) throw new Error(`${late} found call ${id}`);
    calls.take(id);
  }
});

test('calls that wait long keep their places while many come and go', () => {
  const calls = new CallsUnderWay();
  const patient = Array.from({ length: 1_000 }, () => {
    const call = aCall();
    return { call, id: calls.add(call) };
  });
  const ids = new Set(patient.map(({ id }) => id));
  for (let n = 0; n < 10_000; n += 1) {
    const id = calls.add(aCall());
    if (ids.has(id)) throw new Error(`${id} was given twice`);
    calls.take(id);
  }
  expect(calls.size).toBe(1_000);
  expect([...calls]).toHaveLength(1_000);
  for (const { call, id } of patient) expect(calls.take(id)).toBe(call);
  expect([...calls]).toEqual([]);
});
