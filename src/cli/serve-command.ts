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
    .addHelpText('after', EXAMPLE)
    .action(async (flags: ServeFlags) => {
      if (flags.join !== undefined) {
        throw new CommandFailure(EXIT.usage, 'NOT_IN_THIS_VERSION', '--join: not in this version; name all in --peers');
      }
      // Loaded only now: commands that ask a running cluster should not wait for it.
      const { serve } = await import('./serve.js');
      await serve(flags);
    });
}

const EXAMPLE = `
Each option can stand in the environment, too, under the name in brackets.

On three machines, each with its own --id and --listen, and the same --peers:
  quorate serve --id n1 --listen 10.0.0.1:7401 --data /var/lib/quorate --insecure \\
    --peers n1=10.0.0.1:7401,n2=10.0.0.2:7401,n3=10.0.0.3:7401
Nothing is encrypted, and nobody is asked who is calling: --insecure belongs in a network that you trust.`;

function helpOf({ help, default: standard, variable }: ServeForm): string {
  const value = standard === undefined || standard === false ? '' : ` (default: ${standard})`;
  return `${help}${value} [${variable}]`;
}
