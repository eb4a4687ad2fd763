import { expect, test } from '@jest/globals';
import { assign, createActor, setup } from 'xstate';
import type { ReplicaInput } from '../../machines/index.js';
import { replicaMachine } from '../../machines/index.js';
import { MemoryLogStore, Recorder, VirtualClock } from '../../src/testing/index.js';
import { MemoryNetwork } from '../../transport/memory/transport.js';

const IDS = ['a', 'b', 'c'];
const servers = IDS.map((id) => ({ id, address: id }));

/** A user's machine: works only while its replica leads. */
const workshop = setup({
  types: { context: {} as { replica: ReplicaInput; shifts: number }, input: {} as { replica: ReplicaInput } },
  actors: { replica: replicaMachine },
}).createMachine({
  id: 'workshop',
  context: ({ input }) => ({ ...input, shifts: 0 }),
  invoke: {
    src: 'replica',
    id: 'replica',
    input: ({ context }) => context.replica,
    onSnapshot: [
      { guard: ({ event }) => event.snapshot.matches({ active: { leader: 'serving' } }), target: '.working' },
      { target: '.resting' },
    ],
  },
  initial: 'resting',
  states: {
    resting: {},
    working: { entry: assign({ shifts: ({ context }) => context.shifts + 1 }) },
  },
});

test("three replicas, each invoked in a user's machine on memory seams: exactly one works, and another when it stops", () => {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const workshops = IDS.map((id, at) => {
    const replica: ReplicaInput = {
      identity: { clusterId: 'shop', nodeId: id, incarnation: id },
      servers,
      seed: at + 1,
      log: new MemoryLogStore((done) => clock.defer(done)),
      transport: network.transport(id),
      stateMachine: new Recorder(),
      clock,
    };
    return createActor(workshop, { clock, input: { replica } }).start();
  });
  const working = () => workshops.filter((actor) => actor.getSnapshot().value === 'working');

  clock.runFor(2_000);
  expect(working()).toHaveLength(1);
  const [first] = working();
  first?.stop();
  clock.runFor(2_000);
  const second = working().find((actor) => actor !== first);
  expect(second?.getSnapshot().value).toBe('working');
  expect(second?.getSnapshot().context.shifts).toBeGreaterThan(0);
  for (const actor of workshops) actor.stop();
  // What was under way arrives nowhere; after that nothing is left that could happen.
  clock.runFor(1_000);
  expect(clock.advanceToNext()).toBe(false);
});
