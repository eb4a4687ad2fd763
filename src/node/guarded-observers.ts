import type { Actor, InspectionEvent, Observer, Subscription } from 'xstate';
import type { replicaMachine } from '../../machines/index.js';
import { announceAll, inspectsAll, LeanInspection } from '../inspect/lean-inspection.js';
import type { Clock } from '../seams/clock.js';
import { isQuietEvent } from './inspected-events.js';
import type { Logger } from './node-log.js';

export type Inspect = Observer<InspectionEvent> | ((event: InspectionEvent) => void);

/**
 * An inspector that cannot harm what it inspects (P52). XState calls inspectors in the middle of an actor's own work: what one
 * throws would end the actor, or lose the event that was just to be delivered. The first throw detaches it.
 */
function guardedInspector(
  inspect: Inspect,
  { logger, clock, inspectPayloads }: ObserverNeeds,
  detach: () => void = () => undefined,
): GuardedInspector {
  let isDetached = false;
  const fail = (error: unknown, at: string): void => {
    if (isDetached) return;
    isDetached = true;
    lean.stop();
    detach();
    tell(
      logger,
      `the inspect observer threw at ${at}`,
      error,
      'it is detached; mend it, and attach it again with node.actor.system.inspect(…)',
    );
  };
  const next = (event: InspectionEvent): void => {
    if (isDetached) return;
    call(
      () => (typeof inspect === 'function' ? inspect(event) : inspect.next?.(event)),
      (error) => fail(error, event.type),
    );
  };
  const lean = new LeanInspection(next, { clock, isQuiet: isQuietEvent });
  const isLean = !inspectPayloads && !inspectsAll(inspect);
  return { next: isLean ? (event) => lean.next(event) : next, stop: () => lean.stop() };
}

interface GuardedInspector {
  next(event: InspectionEvent): void;
  /** Nothing that is held back is told any more. */
  stop(): void;
}

export interface ObserverNeeds {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Whether inspectors are given XState's events as they are, values, commands and heartbeats included. */
  readonly inspectPayloads: boolean;
}

/** XState's option for an actor that may have an inspector from its start. */
export function inspectionBy(
  inspect: Inspect | undefined,
  needs: ObserverNeeds,
): { readonly inspect?: Observer<InspectionEvent> } {
  return inspect === undefined ? {} : { inspect: guardedInspector(inspect, needs) };
}

/** The same for an inspector, a subscriber or a listener that is attached to the running actor later. */
export function guardObservers(actor: Actor<typeof replicaMachine>, needs: ObserverNeeds): void {
  const { logger } = needs;
  const { system } = actor;
  const inspect = system.inspect.bind(system);
  system.inspect = (observer) => {
    const guarded = guardedInspector(observer, needs, () => subscription.unsubscribe());
    const subscription: Subscription = inspect(guarded);
    if (!inspectsAll(observer)) announceAll(actor, (event) => guarded.next(event));
    const unsubscribe = (): void => {
      guarded.stop();
      subscription.unsubscribe();
    };
    return { unsubscribe };
  };

  const on: typeof actor.on = actor.on.bind(actor);
  actor.on = (type, handler) => on(type, once(`a listener of ${type}`, handler, logger) as typeof handler);

  const subscribe = actor.subscribe.bind(actor);
  actor.subscribe = (given: unknown, error?: unknown, complete?: unknown): Subscription => {
    const { next, ...rest } = (
      typeof given === 'function' ? { next: given, error, complete } : Object(given)
    ) as Callbacks;
    const guard = (what: string, callback: Callback | undefined): Callback => {
      return callback === undefined ? () => undefined : once(`a subscriber's ${what}`, callback.bind(given), logger);
    };
    // Always with `error`: XState would end the process for a failed actor whose subscriber has none. The node logs it.
    const observer: object = {
      next: guard('next', next),
      error: guard('error', rest.error),
      complete: guard('complete', rest.complete),
    };
    return subscribe(observer as Parameters<typeof subscribe>[0]);
  };
}

type Callback = (...values: readonly never[]) => unknown;

interface Callbacks {
  readonly next?: Callback;
  readonly error?: Callback;
  readonly complete?: Callback;
}

/** Stays attached, because it may have more to do than what failed, such as giving up a leader's work. Told of once. */
function once(what: string, callback: Callback, logger: Logger): Callback {
  let isTold = false;
  return (...values) => {
    call(
      () => callback(...values),
      (error) => {
        if (!isTold) tell(logger, `${what} threw`, error, 'it stays attached, and what it throws later is not logged');
        isTold = true;
      },
    );
  };
}

function tell(logger: Logger, what: string, error: unknown, whatNow: string): void {
  logger.warn({ event: 'callback', err: error }, `${what}: ${String(error)}; the node goes on; ${whatNow}`);
}

/** Catches what is thrown at once, and what a promise that is returned rejects with. */
function call(callback: () => unknown, failed: (error: unknown) => void): void {
  try {
    const returned = callback();
    if (returned instanceof Promise) returned.catch(failed);
  } catch (error) {
    failed(error);
  }
}
