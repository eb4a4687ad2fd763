import type { Command } from 'commander';
import { numberOfFlag } from './flag-number.js';

const HELP = `
The way out of a command that makes every state machine throw, where none can be made that takes it. All nodes halt at its entry, and their
logs name it. On each of them: stop the node, quorate skip INDEX --data DIR, start the node. The log
of that node keeps what was skipped and when; the state machine is never given the command, on any node, or their states differ, and nodes halt.`;

export function addSkipCommand(program: Command): void {
  program
    .command('skip <index>')
    .description('on a stopped node: never give its state machine the command at this index of the log')
    .requiredOption('--data <dir>', 'the data directory of that node')
    .option('--json', 'one line of JSON')
    .addHelpText('after', HELP)
    .action(async (given: string, { data, json }: { readonly data: string; readonly json?: boolean }) => {
      const index = numberOfFlag('INDEX', given, { least: 1, most: Number.MAX_SAFE_INTEGER });
      const { skipEntry } = await import('../node/skip-entry.js');
      const skipped = await skipEntry(data, index);
      const { id, term, bytes, checksum, skippedAt, already } = skipped;
      const when = already ? `was skipped already, at ${skippedAt}` : 'is skipped from now on';
      const line = `${id}: entry ${index} of term ${term} (${bytes} bytes, checksum ${checksum}) ${when}; do the same on every other node`;
      process.stdout.write(`${json === true ? JSON.stringify(skipped) : line}\n`);
    });
}
