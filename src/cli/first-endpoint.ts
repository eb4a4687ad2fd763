import { isWorthAnotherTry } from '../errors/quorate-error.js';
import type { ClientOptions } from './client-flags.js';
import { asFailure, CommandFailure, EXIT, NoAnswer } from './exit.js';

/**
 * Asks one endpoint after another until one answers. Each gets a share of the time, because one that hangs must not keep the
 * others from being asked. For questions only: a write that is not answered may have been done.
 */
export async function askFirst<Value>(
  { endpoints, timeoutMs }: ClientOptions,
  ask: (endpoint: string, timeoutMs: number) => Promise<Value>,
): Promise<Value> {
  const endMs = performance.now() + timeoutMs;
  const silent: string[] = [];
  let refusal: CommandFailure | undefined;
  for (const [at, endpoint] of endpoints.entries()) {
    const leftMs = Math.max(1, Math.floor(endMs - performance.now()));
    try {
      return await ask(endpoint, Math.ceil(leftMs / (endpoints.length - at)));
    } catch (error) {
      if (error instanceof NoAnswer) silent.push(`${endpoint} (${error.message})`);
      else refusal = failureToPassOver(error);
    }
  }
  throw refusal ?? nobodyAnswers(silent);
}

/** Another node may do what this one refused. Throws where that is not so. */
function failureToPassOver(error: unknown): CommandFailure {
  const failure = asFailure(error);
  if (isWorthAnotherTry(`QUORATE_${failure.code}`)) return failure;
  throw failure;
}

/** `silent`: each endpoint, and in brackets why it gave no answer. */
export function nobodyAnswers(silent: readonly string[]): CommandFailure {
  return new CommandFailure(EXIT.failed, 'NO_LEADER', withHint(`no node answers: ${silent.join(', ')}`));
}

/** Where something did answer, the cluster may well be running: its own words say what to do. */
export function withHint(message: string): string {
  return message.includes(' answered HTTP ') ? message : `${message}; ${HINT}`;
}

const HINT =
  'is the cluster running? Start one with "quorate cluster", or name all its nodes, one of which may be dead, as in --endpoints 127.0.0.1:7401,127.0.0.1:7402';
