import type { Command } from 'commander';
import { CommandFailure, EXIT } from './exit.js';
import type { ServeFlags } from './serve.js';

export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('run one node')
    .option('--id <id>', 'its name in the cluster')
    .option('--listen <host:port>', 'where peers and clients reach it')
    .option('--advertise <host:port>', 'where peers reach it, if that is another address than --listen')
    .option('--peers <id=host:port,…>', 'all nodes of the cluster, this one included')
    .option('--data <dir>', 'where it keeps its log')
    .option('--cluster <name>', "the cluster's name (default: quorate)")
    .option('--join <host:port>', 'in place of --peers: not in this version')
    .option('--insecure', 'listen beyond loopback although nothing asks who is calling')
    .option('--allow-host <name...>', "names of services that may stand in requests' Host; may be given more than once")
    .option('--max-connections <n>', 'how many connections clients may have (default: as descriptors allow)')
    .option('--log-level <level>', 'debug, info, warn, error (default: info)')
    .option('--election-timeout-min <ms>', 'ELECTION_TIMEOUT_MIN (default: 150)')
    .option('--election-timeout-max <ms>', 'ELECTION_TIMEOUT_MAX (default: 300)')
    .option('--heartbeat-interval <ms>', 'HEARTBEAT_INTERVAL (default: 50)')
    .option('--max-missed-heartbeats <n>', 'MAX_MISSED_HEARTBEATS (default: 3)')
    .option('--inspect [port]', 'show the running charts to @xstate/inspect on this port (default: 7480)')
    .option('--config <file>', 'a JSON file with any of these')
    .option('--print-config', 'show each value and where it comes from, and stop')
    .option('--json', 'with --print-config and for errors: JSON')
    .action(async (flags: ServeFlags) => {
      if (flags.join !== undefined) {
        throw new CommandFailure(EXIT.usage, 'NOT_IN_THIS_VERSION', '--join: not in this version; name all in --peers');
      }
      // Loaded only now: what asks a running cluster should not wait for what runs one.
      const { serve } = await import('./serve.js');
      await serve(flags);
    });
}
