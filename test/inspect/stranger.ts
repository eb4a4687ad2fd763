import { createWebSocketInspector } from '@statelyai/inspect';
import { createActor, fromPromise, setup } from 'xstate';

const parcel = setup({
  types: { events: {} as { type: 'scan' } },
}).createMachine({
  id: 'parcel',
  initial: 'waiting',
  states: { waiting: { on: { scan: 'scanned' } }, scanned: { type: 'final' } },
});

const order = setup({
  types: { context: {} as { paid: number; bytes: Uint8Array }, events: {} as { type: 'pay' | 'ship' | 'more' } },
  actors: { charge: fromPromise(async () => 42), parcel },
  delays: { PATIENCE: 60_000 },
}).createMachine({
  id: 'order',
  context: { paid: 0, bytes: new Uint8Array(3) },
  type: 'parallel',
  states: {
    payment: {
      initial: 'open',
      states: {
        open: { on: { pay: 'charging' }, after: { PATIENCE: 'late' } },
        charging: { invoke: { id: 'charge', src: 'charge', onDone: 'paid' } },
        paid: {},
        late: {},
      },
    },
    shipping: {
      initial: 'idle',
      states: { idle: { on: { ship: '#order.shipping.sent' } }, sent: { invoke: { id: 'parcel', src: 'parcel' } } },
    },
  },
});

/** A program that knows of `@statelyai/inspect` and of nothing else: an order in parallel regions, a promise, a child, a delay. */
export function startStranger(url: string) {
  const inspector = createWebSocketInspector({ url });
  const actor = createActor(order, { inspect: inspector.inspect as never }).start();
  return { actor, stop: () => inspector.stop() };
}
