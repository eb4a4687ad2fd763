import { setTimeout as sleep } from 'node:timers/promises';
import { createWebSocketInspector } from '@statelyai/inspect';
import { createActor } from 'xstate';
import { orderMachine } from '../test/pages/order-machine.js';

/** The program in the pictures of the inspector: an order goes its way. Its argument is where the inspector listens. */
const [, , url = 'ws://127.0.0.1:8080'] = process.argv;
const { inspect } = createWebSocketInspector({ url });
const order = createActor(orderMachine, { id: 'order', inspect: inspect as never }).start();
await sleep(1_500);
for (const type of ['checkout.started', 'address.entered', 'suggestion.taken', 'slot.chosen', 'order.placed']) {
  order.send({ type });
  await sleep(1_500);
}
await sleep(600_000);
