import type { Command } from 'commander';
import type { ClientOptions } from './client.js';
import { parseEndpoints } from './client.js';
import { usage } from './exit.js';

export interface ClientFlags {
  readonly endpoints: string;
  readonly timeout: string;
  readonly json?: boolean;
}

const DEFAULT_ENDPOINTS = '127.0.0.1:7401';

/** What every command that speaks to a running cluster takes. */
export function withClientFlags(command: Command): Command {
  return command
    .option(
      '--endpoints <host:port,…>',
      'nodes to ask, in this order (QUORATE_ENDPOINTS)',
      process.env.QUORATE_ENDPOINTS ?? DEFAULT_ENDPOINTS,
    )
    .option('--timeout <ms>', 'how long to wait (QUORATE_TIMEOUT)', process.env.QUORATE_TIMEOUT ?? '5000')
    .option('--json', 'print results and errors as JSON, one line for each document');
}

export function clientOptions(flags: ClientFlags): ClientOptions {
  const timeoutMs = Number(flags.timeout);
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 60_000) {
    throw usage(`--timeout ${flags.timeout}: a whole number of milliseconds from 1 to 60000 would do`);
  }
  return { endpoints: parseEndpoints(flags.endpoints), timeoutMs };
}
