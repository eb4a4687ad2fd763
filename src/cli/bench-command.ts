import type { Command } from 'commander';
import type { KeyValueClient } from '../key-value/client.js';
import type { ClientFlags } from './client-flags.js';
import { clientOptions, withClientFlags } from './client-flags.js';
import type { Dial } from './dial.js';
import { CommandFailure, EXIT } from './exit.js';
import { numberOfFlag } from './flag-number.js';
import { endProcess } from './service-commands.js';

interface BenchFlags extends ClientFlags {
  readonly inFlight: string;
  readonly seconds: string;
  readonly warmUp: string;
  readonly size: string;
  readonly keys: string;
  readonly read?: boolean;
}

/** `dialer` brings what dials a cluster: only a command that is run waits for it. */
export function addBenchCommand(program: Command, dialer: () => Promise<Dial<KeyValueClient>>): void {
  withClientFlags(program.command('bench'))
    .description(
      'put load on a running cluster, and not on one in production: it writes keys that begin with bench/, and leaves them there; so many operations at a time, each with its own reply; Ctrl-C ends it early',
    )
    .option('--in-flight <n>', 'operations at a time', '256')
    .option('--seconds <n>', 'how long it is measured', '10')
    .option('--warm-up <s>', 'under the same load before that, not measured', '2')
    .option('--size <bytes>', 'of a value', '256')
    .option('--keys <n>', 'how many different keys', '10000')
    .option('--read', 'linearizable gets in place of puts, of keys that it writes first')
    .action(async (flags: BenchFlags) => {
      const load = {
        inFlight: numberOfFlag('--in-flight', flags.inFlight, { least: 1, most: 100_000 }),
        seconds: numberOfFlag('--seconds', flags.seconds, { least: 1, most: 86_400 }),
        warmUpSeconds: numberOfFlag('--warm-up', flags.warmUp, { least: 0, most: 3_600 }),
        size: numberOfFlag('--size', flags.size, { least: 0, most: 8 * 1024 * 1024 }),
        keys: numberOfFlag('--keys', flags.keys, { least: 1, most: 100_000_000 }),
        op: flags.read === true ? ('get' as const) : ('put' as const),
      };
      const { endpoints, timeoutMs } = clientOptions(flags);
      const [dial, { measure }] = await Promise.all([dialer(), import('./closed-loop.js')]);
      const client = await dial({ endpoints, timeoutMs });
      try {
        const say = (text: string): void => void (flags.json === true || process.stderr.write(`${text}\n`));
        say(`${load.op}s, ${load.inFlight} at a time, for ${load.seconds} s after ${load.warmUpSeconds} s of warm-up`);
        const progress = (left: number, perSecond: number): void => say(`${left} s left, ${perSecond} ${load.op}s/s`);
        const stopping = new AbortController();
        process.once('SIGINT', () => {
          say('stopping: what is under way is awaited, then comes the summary; Ctrl-C once more stops at once');
          stopping.abort();
        });
        const { result, problem } = await measure(client, load, { timeoutMs, progress, signal: stopping.signal });
        if (flags.json === true) process.stdout.write(`${JSON.stringify(result)}\n`);
        else for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(14)} ${value}\n`);
        if (stopping.signal.aborted) process.exitCode = EXIT.interrupted;
        if (problem !== undefined) throw new CommandFailure(EXIT.failed, 'FAILED', problem);
      } finally {
        await client.close();
      }
      endProcess();
    });
}
