import { createMachine } from 'xstate';
import { definitionOf } from '../../src/inspect/definition.js';
import type { InspectionActor, InspectionMessage } from '../../src/inspect/stream.js';
import { greeting } from './watched-order.js';

/** What all messages of the lamp's program have. */
export const LAMPS = { system: 'lamps', sequence: 0 };

/** A lamp that somebody switches, with as many states as are named. */
export function lamp(states: readonly string[]): readonly InspectionMessage[] {
  const machine = createMachine({
    id: 'lamp',
    initial: 'off',
    states: Object.fromEntries(states.map((key, at) => [key, { on: { pressed: states[at + 1] ?? 'off' } }])),
  });
  const snapshot = { status: 'active' as const, value: 'off', context: { pressed: 0 } };
  const actor: InspectionActor = {
    ...{ ...LAMPS, type: 'actor', atMs: 1_000, actor: 'x:0', parent: null },
    ...{ id: 'lamp', kind: 'machine', machine: 'lamp', snapshot },
  };
  const definition = definitionOf(machine);
  return [...greeting('lamps', 1_000), { type: 'machine', system: 'lamps', machine: 'lamp', definition }, actor];
}

/** What the stream tells when somebody presses the lamp's switch. */
export function pressed(times: number, value: string): readonly InspectionMessage[] {
  const shared = { ...LAMPS, atMs: 1_000 + times * 100, actor: 'x:0' };
  const snapshot = { status: 'active' as const, value, context: { pressed: times } };
  return [
    { ...shared, type: 'event', source: null, event: { type: 'pressed', by: 'hand' } },
    { ...shared, type: 'snapshot', event: { type: 'pressed' }, snapshot, changed: true },
  ];
}
