import { describe, expect, test } from '@jest/globals';
import { and, createMachine, not, setup } from 'xstate';
import { drawChart } from '../../src/inspect/draw-chart.js';

const machines = setup({ guards: { isOpen: () => true } });

describe('a chart as a diagram', () => {
  test('names the guard of a transition, or its description', () => {
    const states = {
      idle: {
        on: {
          go: { guard: 'isOpen', target: 'running' },
          leap: { guard: not('isOpen'), description: 'the door is shut', target: 'running' },
        },
      },
      running: {},
    } as const;
    const drawing = drawChart(machines.createMachine({ initial: 'idle', states }));
    expect(drawing).toContain('idle --> running: go [isOpen], leap [the door is shut]');
  });

  test.each([
    ['a function', () => true],
    ['not(…)', not('isOpen')],
    ['and([…])', and(['isOpen'])],
  ])('never prints source code: %s without a description is an error', (_, guard) => {
    const machine = createMachine({
      initial: 'idle',
      states: { idle: { on: { go: { guard: guard as () => boolean, target: 'running' } } }, running: {} },
    });
    expect(() => drawChart(machine)).toThrow('expected a guard with a name');
  });
});
