import type { AnyActorRef, InspectionEvent } from 'xstate';
import { announceAll } from './lean-inspection.js';

/** Where `createInspectorServer()` of `@statelyai/inspect/server` listens by default. */
export const STATELY_URL = 'ws://localhost:8080';

/** Its relay keeps the newest 200 messages for viewers that come late: the actors must be among them. */
const ANNOUNCED_EVERY = 100;

/** The parts of `@statelyai/inspect` that are used here; users install it where they want it. */
interface StatelyInspect {
  createWebSocketInspector(options: { readonly url: string }): {
    readonly inspect: { next(event: InspectionEvent): void };
    stop(): void;
  };
}

/**
 * How to send what a running actor system does to the Stately inspector, by way of the relay that listens at a URL; while none does, it is
 * tried again every few seconds. Rejects where the package `@statelyai/inspect` is not installed.
 */
export async function loadStately(): Promise<(actor: AnyActorRef, url?: string) => { close(): Promise<void> }> {
  // By a name in a variable: the package is optional, and nobody is made to install it for its types.
  const name: string = '@statelyai/inspect';
  const stately = (await import(name)) as StatelyInspect;
  return (actor, url = STATELY_URL) => sendTo(stately, actor, url);
}

function sendTo(
  { createWebSocketInspector }: StatelyInspect,
  actor: AnyActorRef,
  url: string,
): { close(): Promise<void> } {
  const { inspect, stop } = createWebSocketInspector({ url });
  let sinceAnnounced = 0;
  let isAnnouncing = false;
  const next = (event: InspectionEvent): void => {
    inspect.next(event);
    sinceAnnounced += 1;
    if (isAnnouncing || sinceAnnounced < ANNOUNCED_EVERY) return;
    isAnnouncing = true;
    announceAll(actor, next);
    isAnnouncing = false;
    sinceAnnounced = 0;
  };
  const subscription = actor.system.inspect({ next });
  return {
    close: async () => {
      subscription.unsubscribe();
      stop();
    },
  };
}
