import type { AnyActorRef } from 'xstate';

/** Whether an actor still takes events: one that was stopped, or failed, does not. */
export function isRunning(actor: Pick<AnyActorRef, 'getSnapshot'>): boolean {
  return (actor.getSnapshot() as { readonly status?: unknown }).status === 'active';
}

interface Recipient<Event> extends Pick<AnyActorRef, 'getSnapshot'> {
  send(event: Event): void;
}

/**
 * Sends an event to an actor that may have been stopped meanwhile, the result of an IO say. A stopped actor has no use for it:
 * XState would drop it, and its development build would print a warning with the whole event in it.
 */
export function sendIfRunning<Event>(actor: Recipient<Event>, event: Event): void {
  if (isRunning(actor)) actor.send(event);
}

/**
 * The parent of an actor, which takes its reports. There is none where a machine is only stepped by `transition()`: the report is then
 * addressed to the machine itself, which takes no report.
 */
export function parentOf({ self }: { readonly self: { readonly _parent?: AnyActorRef } }): AnyActorRef {
  return self._parent as AnyActorRef;
}
