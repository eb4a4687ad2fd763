import { CommanderError } from 'commander';
import { QuorateError } from '../errors/quorate-error.js';

export const EXIT = { done: 0, failed: 1, usage: 2, unknown: 3, interrupted: 130 } as const;

/** The failure of a command: the code that scripts look at, and the words for people. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';

  constructor(
    readonly exitCode: number,
    /** Without its prefix. */
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }
}

/** Nothing was asked of an endpoint, or it has not answered: the next one may be asked. `message` says why. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export function usage(message: string): CommandFailure {
  return new CommandFailure(EXIT.usage, 'BAD_REQUEST', message);
}

/** Any error as the failure of a command. */
export function asFailure(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error;
  if (error instanceof NoAnswer) return new CommandFailure(EXIT.failed, 'NO_LEADER', error.message);
  if (error instanceof CommanderError) return usage(error.message.replace(/^error: /, ''));
  if (error instanceof QuorateError) {
    const code = error.code.replace('QUORATE_', '');
    return new CommandFailure(exitCodeFor(code), code, error.message, error.details);
  }
  return new CommandFailure(EXIT.failed, 'FAILED', error instanceof Error ? error.message : String(error));
}

export function exitCodeFor(code: string): number {
  if (code === 'OUTCOME_UNKNOWN') return EXIT.unknown;
  return ['BAD_REQUEST', 'CONFIG_INVALID', 'NOT_IN_THIS_VERSION'].includes(code) ? EXIT.usage : EXIT.failed;
}
