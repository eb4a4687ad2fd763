import type { Command } from 'commander';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { TakenSnapshot } from '../replica/pending-snapshots.js';
import { durationOf, grouped, sizeOf } from '../report/phrases.js';
import type { ClientFlags } from './client-flags.js';
import { clientOptions, withClientFlags } from './client-flags.js';
import { postDocument } from './exchange.js';
import type { CommandFailure } from './exit.js';
import { asFailure } from './exit.js';

type Answer = TakenSnapshot & { readonly id: NodeId };

export function addSnapshotCommand(program: Command): void {
  withClientFlags(program.command('snapshot'))
    .description(
      'have each of the nodes take a snapshot now: a restart then begins with it, and the log before it may go',
    )
    .action(async (flags: ClientFlags) => {
      const { endpoints, timeoutMs } = clientOptions(flags);
      const failures = await Promise.all(endpoints.map((endpoint) => take(endpoint, timeoutMs, flags.json === true)));
      const told = failures.filter((one) => one !== undefined);
      const last = told.pop();
      for (const { code, message, details } of told) {
        const error = JSON.stringify({ error: { code, message, ...details } });
        process.stderr.write(flags.json === true ? `${error}\n` : `quorate: ${message}\n`);
      }
      if (last !== undefined) throw last;
    });
}

/** Undefined where it was taken, and printed. */
async function take(endpoint: string, timeoutMs: number, isJson: boolean): Promise<CommandFailure | undefined> {
  try {
    const taken = await postDocument<Answer>(endpoint, '/v1/snapshot', timeoutMs);
    process.stdout.write(`${isJson ? JSON.stringify(taken) : lineOf(taken)}\n`);
    return undefined;
  } catch (error) {
    const failure = asFailure(error);
    return Object.assign(failure, { message: `${endpoint}: ${failure.message}` });
  }
}

function lineOf({ id, index, bytes, tookMs }: Answer): string {
  const size = tookMs === 0 ? `${sizeOf(bytes)}, which it had already` : `${sizeOf(bytes)} in ${durationOf(tookMs)}`;
  return `${id}: snapshot at ${grouped(index)} (${size})`;
}
