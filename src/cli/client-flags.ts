import type { Command } from 'commander';
import { DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/call-options.js';
import { addressOf, DEFAULT_ENDPOINTS } from '../client/endpoint.js';
import { QuorateError } from '../errors/quorate-error.js';
import { fromEnvironment } from '../node/serve-form.js';
import { usage } from './exit.js';
import { numberOfFlag } from './flag-number.js';

export interface ClientOptions {
  /** host:port each; tried in this order. */
  readonly endpoints: readonly string[];
  readonly timeoutMs: number;
}

export interface ClientFlags {
  readonly endpoints: string;
  readonly timeout: string;
  readonly json?: boolean;
}

/** Adds the flags that every command takes that speaks to a running cluster. */
export function withClientFlags(command: Command): Command {
  return command
    .option(
      '--endpoints <host:port,…>',
      'nodes to ask, in this order; http://host:port, too (QUORATE_ENDPOINTS)',
      fromEnvironment('QUORATE_ENDPOINTS', process.env) ?? DEFAULT_ENDPOINTS.join(','),
    )
    .option(
      '--timeout <ms>',
      'how long to wait (QUORATE_TIMEOUT)',
      fromEnvironment('QUORATE_TIMEOUT', process.env) ?? String(DEFAULT_TIMEOUT_MS),
    )
    .option('--json', 'print results and errors as JSON, one line for each document');
}

export function clientOptions(flags: ClientFlags): ClientOptions {
  const timeoutMs = numberOfFlag('--timeout', flags.timeout, { least: 1, most: MOST_TIMEOUT_MS }, 'QUORATE_TIMEOUT');
  return { endpoints: parseEndpoints(flags.endpoints), timeoutMs };
}

function parseEndpoints(text: string): readonly string[] {
  try {
    return text.split(',').map(addressOf);
  } catch (error) {
    if (error instanceof QuorateError) {
      const where = fromEnvironment('QUORATE_ENDPOINTS', process.env) === text ? ' in QUORATE_ENDPOINTS' : '';
      throw usage(`${error.message}${where} (several are separated by commas)`);
    }
    throw error;
  }
}
