import type { Command } from 'commander';
import { DEFAULT_TIMEOUT_MS, MOST_TIMEOUT_MS } from '../calls/timeout.js';
import { DEFAULT_ENDPOINTS } from '../client/endpoint.js';
import { fromEnvironment } from '../node/serve-form.js';
import type { ClientOptions } from './client.js';
import { parseEndpoints } from './client.js';
import { numberOfFlag } from './flag-number.js';

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
  const timeoutMs = numberOfFlag('--timeout', flags.timeout, { least: 1, most: MOST_TIMEOUT_MS });
  return { endpoints: parseEndpoints(flags.endpoints), timeoutMs };
}
