import { assign, fromCallback, fromPromise, setup } from 'xstate';

type OrderEvent = { readonly type: string; readonly [part: string]: unknown };

const later = (ms: number, output: unknown) =>
  fromPromise(() => new Promise<unknown>((resolve) => setTimeout(() => resolve(output), ms)));

const orderSetup = setup({
  types: {} as { events: OrderEvent; context: Record<string, unknown> },
  delays: { BACKOFF: 400, RESERVATION: 60_000, LATE: 90_000 },
  guards: {
    hasItems: () => true,
    isExact: () => false,
    termsAccepted: () => true,
    needsChallenge: () => true,
    hasTriesLeft: () => true,
    isOutOfTries: () => false,
    isRefundable: () => true,
  },
  actions: {
    showConflict: () => undefined,
    freezeTotals: () => undefined,
    announceOrder: () => undefined,
    tellCustomer: () => undefined,
    storeAuthorization: () => undefined,
    printLabel: () => undefined,
    apologise: () => undefined,
    challenge: assign({ payment: () => ({ status: 'challenge', redirect: 'https://bank.example/3ds', tries: 1 }) }),
  },
  actors: {
    saveBasket: later(40, {}),
    validateAddress: later(60, { isExact: false }),
    loadSlots: later(50, {}),
    reserveSlot: later(60, {}),
    authorize: later(80, { needsChallenge: true, redirect: 'https://bank.example/3ds' }),
    verify: later(80, {}),
    capture: later(40, {}),
    picker: later(40, {}),
    analytics: fromCallback(() => undefined),
  },
});

const basket = orderSetup.createStateConfig({
  initial: 'browsing',
  states: {
    browsing: { on: { 'item.added': 'editing' } },
    editing: {
      initial: 'idle',
      on: { 'basket.emptied': 'browsing' },
      states: {
        idle: { on: { 'item.changed': 'saving' } },
        saving: { invoke: { src: 'saveBasket', id: 'saveBasket', onDone: 'idle', onError: 'conflict' } },
        conflict: { entry: 'showConflict', on: { 'conflict.resolved': 'saving' } },
      },
    },
  },
});

const address = orderSetup.createStateConfig({
  initial: 'entering',
  on: { back: 'idle' },
  states: {
    entering: { on: { 'address.entered': 'validating' } },
    validating: {
      invoke: {
        src: 'validateAddress',
        id: 'validateAddress',
        onDone: [{ guard: 'isExact', target: '#order.checkout.delivery' }, { target: 'suggesting' }],
        onError: 'entering',
      },
    },
    suggesting: { on: { 'suggestion.taken': '#order.checkout.delivery', 'suggestion.refused': 'entering' } },
  },
});

const delivery = orderSetup.createStateConfig({
  initial: 'loadingSlots',
  on: { back: 'address' },
  states: {
    loadingSlots: { invoke: { src: 'loadSlots', id: 'loadSlots', onDone: 'choosing' }, after: { 8000: 'expired' } },
    choosing: { on: { 'slot.chosen': 'reserving' } },
    expired: { on: { retry: 'loadingSlots' } },
    reserving: {
      invoke: { src: 'reserveSlot', id: 'reserveSlot', onDone: '#order.checkout.review', onError: 'choosing' },
    },
  },
});

const checkout = orderSetup.createStateConfig({
  initial: 'idle',
  states: {
    idle: { on: { 'checkout.started': { guard: 'hasItems', target: 'address' } } },
    address,
    delivery,
    review: {
      entry: 'freezeTotals',
      on: { back: 'delivery', 'order.placed': { guard: 'termsAccepted', target: 'submitted' } },
      after: { RESERVATION: '#order.checkout.delivery.expired' },
    },
    submitted: { entry: 'announceOrder' },
  },
});

const payment = orderSetup.createStateConfig({
  initial: 'idle',
  states: {
    idle: { on: { 'order.placed': { guard: 'termsAccepted', target: 'authorizing' } } },
    authorizing: {
      initial: 'requesting',
      on: { 'payment.cancelled': 'declined' },
      after: { 90000: 'declined' },
      states: {
        requesting: {
          invoke: {
            src: 'authorize',
            id: 'authorize',
            onDone: [
              { guard: 'needsChallenge', target: 'challenge', actions: 'challenge' },
              { target: '#order.payment.authorized' },
            ],
            onError: 'retrying',
          },
        },
        challenge: {
          initial: 'shown',
          states: {
            shown: { on: { 'challenge.answered': 'verifying' } },
            verifying: {
              invoke: {
                src: 'verify',
                id: 'verify',
                onDone: '#order.payment.authorized',
                onError: '#order.payment.declined',
              },
            },
          },
        },
        retrying: {
          after: { BACKOFF: { guard: 'hasTriesLeft', target: 'requesting' } },
          always: { guard: 'isOutOfTries', target: '#order.payment.declined' },
        },
      },
    },
    declined: { entry: 'tellCustomer', on: { 'payment.retried': 'authorizing' } },
    authorized: { entry: 'storeAuthorization', on: { 'parcel.handed': 'capturing' } },
    capturing: { invoke: { src: 'capture', id: 'capture', onDone: 'captured', onError: 'authorized' } },
    captured: { on: { 'refund.asked': { guard: 'isRefundable', target: 'refunded' } } },
    refunded: { type: 'final' },
  },
});

const fulfilment = orderSetup.createStateConfig({
  initial: 'waiting',
  states: {
    waiting: { on: { 'payment.cleared': 'picking' } },
    picking: { invoke: { src: 'picker', id: 'picker', onDone: 'shipping', onError: 'waiting' } },
    shipping: {
      initial: 'labelled',
      states: {
        labelled: { entry: 'printLabel', on: { 'parcel.handed': 'inTransit' } },
        inTransit: {
          on: { 'parcel.delivered': 'delivered', 'scan.received': { actions: 'apologise' } },
          after: { LATE: 'delayed' },
        },
        delivered: { type: 'final' },
        delayed: { entry: 'apologise', on: { 'parcel.delivered': 'delivered', 'scan.received': 'inTransit' } },
      },
    },
  },
});

/** A stranger's machine of forty states: parallel regions, delays, invoked promises, guards. */
export const orderMachine = orderSetup.createMachine({
  id: 'order',
  context: { customerId: 'c-20418', items: [{}, {}, {}], total: 128.4, payment: { status: 'requested', tries: 1 } },
  type: 'parallel',
  invoke: { src: 'analytics', id: 'analytics' },
  states: { basket, checkout, payment, fulfilment },
});
