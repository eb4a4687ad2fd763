import { type AnyActorRef, createActor } from 'xstate';
import { ActorObserver } from '../../src/inspect/actor-observer.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';
import { systemClock } from '../../src/node/system-clock.js';
import { orderMachine } from './order-machine.js';

export interface WatchedOrder {
  readonly actor: AnyActorRef;
  readonly stop: () => void;
}

/** The head of a stream that tells of one program. */
export function greeting(system: string, atMs = Date.now()): readonly InspectionMessage[] {
  return [
    { type: 'hello', version: 1, atMs },
    { type: 'system', system, name: system, via: 'quorate', pid: null, connected: true },
  ];
}

/** A running order, of which the stream is told. */
export function watchOrder(tell: (message: InspectionMessage) => void): WatchedOrder {
  const actor = createActor(orderMachine, { id: 'order' }).start();
  let count = 0;
  const observer = new ActorObserver({
    actor,
    system: 'order-desk',
    clock: systemClock,
    emit: tell,
    sequence: () => {
      count += 1;
      return count;
    },
    failed: (error) => {
      throw error;
    },
  });
  return {
    actor,
    stop: () => {
      observer.stop();
      actor.stop();
    },
  };
}
