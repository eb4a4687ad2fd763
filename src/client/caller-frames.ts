import { giveFrames, hasFrames } from '../errors/frames.js';

/**
 * The same promise, but the stack of its error names who awaits it. An error is made where a node's answer arrives, with no
 * frame of the caller in it. To note the caller's frames at each call costs 3.7 µs of the 22 µs that a put takes; to look at who
 * awaits, once the call has failed, costs 0.03 µs a call. A caller that attached a handler in place of awaiting has no frame.
 */
export function withFramesOfCaller<Value>(answer: Promise<Value>): Promise<Value> {
  return hasFrames ? answer.then(undefined, throwToCaller) : answer;
}

function throwToCaller(error: unknown): never {
  throw error instanceof Error ? giveFrames(error, throwToCaller) : error;
}
