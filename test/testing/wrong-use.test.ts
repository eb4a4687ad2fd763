import { describe, expect, test } from '@jest/globals';
import type { Actor } from 'xstate';
import { createActor } from 'xstate';
import { leadership, replicaMachine } from '../../machines/index.js';
import { createInspector } from '../../src/inspect.js';
import { explore, replicaEvents, replicaInput, simulate } from '../../src/testing/index.js';

/** As plain JavaScript calls it. */
const untyped = (call: unknown): ((...given: readonly unknown[]) => unknown) => call as never;

describe('what is given wrong without types is told in words', () => {
  test.each([
    ['replicaInput of nobody', () => untyped(replicaInput)(), 'the options of replicaInput to name all replicas'],
    ['of a stranger', () => replicaInput({ id: 'z', replicas: 'abc' }), 'got id "z" and replicas "abc"'],
    ['replicaEvents of nobody', () => untyped(replicaEvents)({ id: 'a' }), 'replicas undefined'],
    ['simulate without options', () => untyped(simulate)(), 'expected the options of simulate to be an object'],
    ['explore with a list', () => untyped(explore)(1, 2), 'expected the options of explore to be an object'],
    ['leadership of nothing', () => untyped(leadership)(), 'expected a node, as ReplicaNode.open gives it'],
    ['leadership of a promise', () => untyped(leadership)(Promise.resolve()), 'expected a node'],
  ])('%s', (_, call, words) => {
    expect(call).toThrow(expect.objectContaining({ code: 'QUORATE_CONFIG_INVALID' }));
    expect(call).toThrow(words);
  });

  test('a chart without input', () => {
    const actor = untyped(createActor)(replicaMachine) as Actor<typeof replicaMachine>;
    expect(String(actor.getSnapshot().error)).toContain('expected replicaMachine to be given input, got none');
  });

  test('an inspector that is given no actor', async () => {
    const inspector = await createInspector({ port: 0 });
    expect(() => untyped(inspector.attach)({})).toThrow('expected an actor, as createActor gives it, got');
    await inspector.close();
  });
});
