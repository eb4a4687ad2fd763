import { describe, expect, jest, test } from '@jest/globals';
import type { AnyStateMachine } from 'xstate';
import { assign, createActor, enqueueActions, fromCallback, setup } from 'xstate';
import { ENQUEUE } from '../../src/fast-transition/collected-actions.js';
import { fallBack } from '../../src/fast-transition/fall-back-to-xstate.js';
import { fastTransition } from '../../src/fast-transition/fast-transition.js';
import { isFamiliar } from '../../src/fast-transition/xstate-internals.js';

/** How an actor of this machine ends up after the event `go`, and how many events XState took. */
function takeOne(machine: AnyStateMachine) {
  const whole = jest.fn(machine.transition);
  machine.transition = whole;
  const laid = fastTransition(machine);
  expect(laid.transition).not.toBe(whole);
  const error = jest.fn();
  const actor = createActor(laid);
  actor.subscribe({ error });
  actor.start().send({ type: 'go' });
  const { status, context, children } = actor.getSnapshot();
  actor.stop();
  return {
    status,
    context,
    children: Object.keys(children),
    errors: error.mock.calls.flat(),
    byXState: whole.mock.calls.filter(([, { type }]) => type === 'go').length,
  };
}

const child = fromCallback(() => undefined);

describe("users' errors", () => {
  const own = new Error("a user's");
  const fail = (): never => {
    throw own;
  };
  test.each([
    ['a guard', { guard: fail }],
    ['an action', { actions: fail }],
    ['an assignment', { actions: assign(fail) }],
    ['a property of an assignment', { actions: assign({ n: fail }) }],
    ['a function that collects', { actions: enqueueActions(fail) }],
  ])('that %s throws leave as they do from XState, which is not asked again', (_, go) => {
    const machine = setup({}).createMachine({ context: {}, on: { go } } as never) as unknown as AnyStateMachine;
    const outcome = takeOne(machine);
    expect(outcome).toMatchObject({ status: 'error', byXState: 0 });
    expect(outcome.errors).toHaveLength(1);
    expect(outcome.errors[0]).toBe(own);
  });
});

describe('what the fast transition does not know', () => {
  test.each<[string, (spawn: () => void) => void]>([
    ['that spawns', (spawn) => spawn()],
    [
      'that spawns and swallows what this throws',
      (spawn) => {
        try {
          spawn();
        } catch {
          // A user's function may do so.
        }
      },
    ],
    [
      'that spawns and throws an error of its own in place of what this throws',
      (spawn) => {
        try {
          spawn();
        } catch (cause) {
          throw new Error('wrapped', { cause });
        }
      },
    ],
  ])('goes to XState: a function %s', (_, run) => {
    const collecting = enqueueActions(({ enqueue }) => {
      run(() => enqueue.spawnChild(child, { id: 'child' }));
      enqueue.assign({ n: 1 });
    });
    const spawning = assign(({ spawn }) => {
      run(() => spawn(child, { id: 'child' }));
      return { n: 1 };
    });
    for (const actions of [collecting, spawning]) {
      const machine = setup({}).createMachine({
        context: { n: 0 },
        on: { go: { actions } },
      } as never) as unknown as AnyStateMachine;
      const expected = { status: 'active', context: { n: 1 }, children: ['child'], errors: [], byXState: 1 };
      expect(takeOne(machine)).toEqual(expected);
    }
  });

  test('is told by one error, which is not made anew each time', () => {
    const thrown = [1, 2].map(() => {
      try {
        return fallBack();
      } catch (error) {
        return error;
      }
    });
    expect(thrown[0]).toBe(thrown[1]);
    expect(String(thrown[0])).toMatch(/^FallBackToXState: /);
  });

  test('does nothing when it is asked for after the transition, as with XState', () => {
    let late = (): void => undefined;
    const collecting = enqueueActions(({ enqueue }) => {
      late = () => {
        enqueue.spawnChild(child);
        enqueue.cancel('x');
        enqueue.raise({ type: 'go' }, { delay: 1 });
      };
    });
    const machine = setup({}).createMachine({
      on: { go: { actions: collecting } },
    } as never) as unknown as AnyStateMachine;
    expect(takeOne(machine)).toMatchObject({ status: 'active', children: [], byXState: 0 });
    expect(late).not.toThrow();
  });
});

test('an XState whose enqueueActions can do more than is known here is not familiar, and takes all events itself', () => {
  const known = Object.keys(ENQUEUE);
  expect(isFamiliar(known)).toBe(true);
  for (const name of known) expect(isFamiliar(known.filter((other) => other !== name))).toBe(false);
});
