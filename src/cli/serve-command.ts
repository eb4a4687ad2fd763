import type { Command } from 'commander';
import type { ServeForm } from '../node/serve-form.js';
import { CommandFailure, EXIT } from './exit.js';
import type { ServeFlags } from './serve.js';
import { SERVE_OPTIONS } from './serve-options.js';

export function addServeCommand(program: Command): void {
  const command = program.command('serve').description('run one node');
  for (const { serve } of SERVE_OPTIONS) command.option(`${serve.flag} ${serve.argument}`.trim(), helpOf(serve));
  command
    .option('--join <host:port>', 'in place of --peers: not in this version')
    .option('--config <file>', 'a JSON file with any of these')
    .option('--print-config', 'show each value and where it comes from, and stop')
    .option('--json', 'with --print-config and for errors: JSON')
    .action(async (flags: ServeFlags) => {
      if (flags.join !== undefined) {
        throw new CommandFailure(EXIT.usage, 'NOT_IN_THIS_VERSION', '--join: not in this version; name all in --peers');
      }
      // Loaded only now: commands that ask a running cluster should not wait for it.
      const { serve } = await import('./serve.js');
      await serve(flags);
    });
}

function helpOf({ help, default: standard }: ServeForm): string {
  return standard === undefined || standard === false ? help : `${help} (default: ${standard})`;
}
