/**
 * Thrown inside the fast transition where it meets something that it does not know, before any action is executed: XState
 * then takes the whole event. Only `FastTransition` catches it, and users never see it.
 */
export class FallBackToXState extends Error {
  override readonly name = 'FallBackToXState';
}

/** One for all: an error with a stack of its own costs several microseconds. */
const THE_ONE = new FallBackToXState(
  'the fast transition hands this event to XState; a caller that sees this found a bug',
);
let thrown = 0;

export function fallBack(): never {
  thrown += 1;
  throw THE_ONE;
}

/**
 * How often `fallBack` was called. Whether it was called while something ran tells more than what that threw: functions of
 * users run in between, and may swallow what is thrown, wrap it, or throw errors of their own.
 */
export function countFallBacks(): number {
  return thrown;
}
