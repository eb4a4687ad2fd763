import type { Command } from 'commander';
import { DEFAULT_ENDPOINTS } from '../client/endpoint.js';
import type { ClientOptions } from './client.js';
import { parseEndpoints } from './client.js';
import { fromEnvironment } from './environment.js';
import { wholeNumber } from './whole-number.js';

export interface ClientFlags {
  readonly endpoints: string;
  readonly timeout: string;
  readonly json?: boolean;
}

/** What every command that speaks to a running cluster takes. */
export function withClientFlags(command: Command): Command {
  return command
    .option(
      '--endpoints <host:port,…>',
      'nodes to ask, in this order; http://host:port, too (QUORATE_ENDPOINTS)',
      fromEnvironment('QUORATE_ENDPOINTS') ?? DEFAULT_ENDPOINTS.join(','),
    )
    .option('--timeout <ms>', 'how long to wait (QUORATE_TIMEOUT)', fromEnvironment('QUORATE_TIMEOUT') ?? '5000')
    .option('--json', 'print results and errors as JSON, one line for each document');
}

export function clientOptions(flags: ClientFlags): ClientOptions {
  const timeoutMs = wholeNumber('--timeout', flags.timeout, 1, 60_000);
  return { endpoints: parseEndpoints(flags.endpoints), timeoutMs };
}
