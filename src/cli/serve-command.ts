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
      const { serve } = await loadServe();
      await serve(flags);
    });
}

/**
 * Loads only now, because commands that ask a running cluster should not wait for the code that runs one; and in steps, because Node.js
 * opens all modules that are imported at the same depth at once: a process that may open 80 files ran out of them.
 */
async function loadServe(): Promise<typeof import('./serve.js')> {
  await import('../../machines/index.js');
  await import('../http/serve-node.js');
  return await import('./serve.js');
}

function helpOf({ help, default: standard }: ServeForm): string {
  return standard === undefined || standard === false ? help : `${help} (default: ${standard})`;
}
