import { expect, test } from '@jest/globals';
import type { InspectionEvent } from 'xstate';
import { assign, createActor, sendTo, setup } from 'xstate';
import type { InvokedReplicaInput, ReplicaReply } from '../../src/machines.js';
import { replica } from '../../src/machines.js';
import { MemoryLogStore, MemoryNetwork, Recorder, VirtualClock } from '../../src/testing/index.js';

function countCommands({ commands }: Recorder): number {
  if (commands.length === 0) throw new Error('nothing was sold');
  return commands.length;
}

/** A user's machine around one replica: it keeps the replies, and says how the replica ended. */
const shopOf = (input: InvokedReplicaInput) =>
  setup({
    types: {
      context: {} as { replies: readonly ReplicaReply[]; error: unknown },
      events: {} as ReplicaReply | { type: 'close' } | { type: 'sell'; id: string } | { type: 'look'; id: string },
    },
    actors: { replica: replica(input) },
    actions: {
      keep: assign(({ context, event }) => ({ replies: [...context.replies, event as ReplicaReply] })),
    },
  }).createMachine({
    context: { replies: [], error: undefined },
    initial: 'open',
    states: {
      open: {
        invoke: {
          src: 'replica',
          id: 'replica',
          onError: { target: 'broken', actions: assign({ error: ({ event }) => event.error }) },
        },
        on: {
          close: 'closed',
          sell: {
            actions: sendTo('replica', ({ event: { id } }) => ({ type: 'replica.propose', id, command: id }) as const),
          },
          look: {
            actions: sendTo('replica', ({ event: { id } }) => {
              return { type: 'replica.read', id, query: countCommands } as never;
            }),
          },
          'replica.answered': { actions: 'keep' },
          'replica.refused': { actions: 'keep' },
          'replica.changed': { actions: 'keep' },
        },
      },
      broken: {},
      closed: {},
    },
  });

const IDS = ['a', 'b', 'c'];
const servers = IDS.map((id) => ({ id, address: id }));

function open() {
  const clock = new VirtualClock();
  const network = new MemoryNetwork({ clock });
  const closed: string[] = [];
  const shops = new Map(
    IDS.map((id, at) => {
      const log = new MemoryLogStore((done) => clock.defer(done));
      const input: InvokedReplicaInput = {
        identity: { clusterId: 'shop', nodeId: id, incarnation: id },
        servers,
        seed: at + 1,
        log,
        transport: network.transport(id),
        stateMachine: new Recorder(),
        clock,
        onClosed: () => void closed.push(id),
      };
      return [id, { log, actor: createActor(shopOf(input), { clock }).start() }] as const;
    }),
  );
  clock.runFor(2_000);
  const repliesOf = (id: string, type: ReplicaReply['type']) =>
    shops
      .get(id)
      ?.actor.getSnapshot()
      .context.replies.filter((reply) => reply.type === type) ?? [];
  const leader = (): string => {
    const found = IDS.find((id) => (repliesOf(id, 'replica.changed').at(-1) as { role?: string })?.role === 'leader');
    if (found === undefined) throw new Error('nobody leads');
    return found;
  };
  return { clock, shops, closed, repliesOf, leader };
}

test('a proposal and a read at each replica are answered, passed on where it does not lead', () => {
  const { clock, shops, repliesOf } = open();
  for (const [id, { actor }] of shops) {
    actor.send({ type: 'sell', id });
    clock.runFor(500);
  }
  for (const { actor } of shops.values()) actor.send({ type: 'look', id: 'how many' });
  clock.runFor(500);
  for (const id of IDS) {
    expect(repliesOf(id, 'replica.answered')).toEqual([
      expect.objectContaining({ id, result: expect.any(Number) }),
      { type: 'replica.answered', id: 'how many', result: 3 },
    ]);
    expect(repliesOf(id, 'replica.refused')).toEqual([]);
  }
});

test('leaving the state answers what waits, closes the log, and says so; the others go on', () => {
  const { clock, shops, closed, leader, repliesOf } = open();
  const old = leader();
  shops.get(old)?.actor.send({ type: 'close' });
  clock.runFor(2_000);
  expect(closed).toEqual([old]);
  expect(leader()).toBeDefined();
  const other = IDS.find((id) => id !== old) as string;
  shops.get(other)?.actor.send({ type: 'sell', id: 'after' });
  clock.runFor(1_000);
  expect(repliesOf(other, 'replica.answered')).toHaveLength(1);
  for (const { actor } of shops.values()) actor.stop();
  clock.runFor(5_000);
  expect(closed.sort()).toEqual(IDS);
  expect(clock.advanceToNext()).toBe(false);
});

test('a halt ends it with the error, once its log is closed', () => {
  const { clock, shops, closed, leader } = open();
  const id = leader();
  const shop = shops.get(id);
  if (shop === undefined) throw new Error(`no shop ${id}`);
  shop.log.sync = (done) => clock.defer(() => done(new Error('the disk is gone')));
  shop.actor.send({ type: 'sell', id: 'x' });
  clock.runFor(1_000);
  const { value, context } = shop.actor.getSnapshot();
  expect(value).toBe('broken');
  expect(context.error).toMatchObject({ message: 'the disk is gone' });
  expect(closed).toEqual([id]);
  const refused = context.replies.filter(({ type }) => type === 'replica.refused');
  expect(refused).toEqual([
    expect.objectContaining({ id: 'x', error: expect.objectContaining({ code: 'QUORATE_OUTCOME_UNKNOWN' }) }),
  ]);
});

test('a query that throws is refused with what it threw', () => {
  const { clock, shops, repliesOf } = open();
  shops.get('a')?.actor.send({ type: 'look', id: 'x' });
  clock.runFor(500);
  expect(repliesOf('a', 'replica.refused')).toEqual([
    expect.objectContaining({
      id: 'x',
      error: expect.objectContaining({
        code: 'QUORATE_BAD_REQUEST',
        message: 'the query failed: nothing was sold',
      }),
    }),
  ]);
});

test('two lives with one seed give their requests different ids: a late answer to the first is none to the second', () => {
  const clock = new VirtualClock();
  const ids: unknown[] = [];
  for (const _life of [1, 2]) {
    clock.runFor(5_000);
    const input: InvokedReplicaInput = {
      identity: { clusterId: 'shop', nodeId: 'a', incarnation: 'a' },
      servers: [{ id: 'a', address: 'a' }],
      seed: 1,
      log: new MemoryLogStore((done) => clock.defer(done)),
      transport: new MemoryNetwork({ clock }).transport('a'),
      stateMachine: new Recorder(),
      clock,
    };
    const inspect = (event: InspectionEvent): void => {
      if (event.type === '@xstate.event' && event.event.type === 'client.proposed') ids.push(event.event.requestId);
    };
    const actor = createActor(shopOf(input), { clock, inspect }).start();
    clock.runFor(2_000);
    actor.send({ type: 'sell', id: 'x' });
    clock.runFor(100);
    actor.stop();
  }
  expect(ids).toHaveLength(2);
  expect(ids[0]).not.toBe(ids[1]);
});
