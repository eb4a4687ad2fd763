import type { Command } from 'commander';
import { pino } from 'pino';
import { openInspector } from '../inspect/inspector-server.js';
import { ReplicaNode } from '../replica-node/replica-node.js';
import { systemClock } from '../replica-node/system-clock.js';
import { KeyValueStore } from '../state-machines/key-value-store.js';
import type { Configuration } from './configuration.js';
import { configure, nodeOptions } from './configuration.js';
import { EXIT, usage } from './exit.js';

interface ServeFlags extends Record<string, unknown> {
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly inspect?: string | boolean;
  readonly json?: boolean;
}

const DEFAULT_INSPECT_PORT = 7480;

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
    .option('--insecure', 'listen beyond loopback although nothing asks who is calling')
    .option('--log-level <level>', 'debug, info, warn, error (default: info)')
    .option('--election-timeout-min <ms>', 'ELECTION_TIMEOUT_MIN (default: 150)')
    .option('--election-timeout-max <ms>', 'ELECTION_TIMEOUT_MAX (default: 300)')
    .option('--heartbeat-interval <ms>', 'HEARTBEAT_INTERVAL (default: 50)')
    .option('--max-missed-heartbeats <n>', 'MAX_MISSED_HEARTBEATS (default: 3)')
    .option(
      '--inspect [port]',
      `show the running charts to @xstate/inspect on this port (default: ${DEFAULT_INSPECT_PORT})`,
    )
    .option('--config <file>', 'a JSON file with any of these')
    .option('--print-config', 'show each value and where it comes from, and stop')
    .option('--json', 'with --print-config and for errors: JSON')
    .action(async (flags: ServeFlags) => {
      const configuration = configure(flags, process.env, flags.config);
      if (flags.printConfig === true) return printConfiguration(configuration, flags.json === true);
      await serve(configuration, flags.inspect);
    });
}

async function serve(configuration: Configuration, inspect: string | boolean | undefined): Promise<void> {
  const options = nodeOptions(configuration);
  const logger = pino({ level: levelOf(configuration), base: { pid: process.pid } });
  const node = await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore(), logger });
  logger.info(
    { node: options.id, address: node.address, data: options.dataDir },
    `listening at http://${node.address}`,
  );
  const inspector =
    inspect === undefined
      ? undefined
      : await openInspector({ actor: node.actor, clock: systemClock, port: portOf(inspect) });
  if (inspector !== undefined) {
    const { port } = inspector;
    logger.info({ port }, `charts for viewers of @xstate/inspect at ws://127.0.0.1:${port}`);
  }
  const close = async (): Promise<void> => {
    await inspector?.close();
    await node.close();
  };
  node.actor.on('node.halted', () => {
    process.exitCode = EXIT.failed;
    close().finally(() => process.exit(EXIT.failed));
  });
  let isStopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (isStopping) process.exit(128 + (signal === 'SIGINT' ? 2 : 15));
    isStopping = true;
    logger.info({ node: options.id, signal }, `${signal}: stopping; once more stops at once`);
    close().then(
      () => process.exit(EXIT.done),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop cleanly');
        process.exit(EXIT.failed);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

function printConfiguration(configuration: Configuration, asJson: boolean): void {
  if (asJson) {
    process.stdout.write(`${JSON.stringify(configuration)}\n`);
    return;
  }
  for (const [name, { value, source }] of Object.entries(configuration)) {
    const shown = value === undefined ? '(none)' : typeof value === 'object' ? JSON.stringify(value) : String(value);
    process.stdout.write(`${name} = ${shown}  (${source})\n`);
  }
}

function levelOf(configuration: Configuration): string {
  const level = String(configuration['log-level']?.value);
  if (level in pino.levels.values || level === 'silent') return level;
  throw usage(`--log-level ${level}: one of ${Object.keys(pino.levels.values).join(', ')} would do`);
}

function portOf(inspect: string | boolean): number {
  if (inspect === true) return DEFAULT_INSPECT_PORT;
  const port = Number(inspect);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw usage(`--inspect ${inspect}: a port would do`);
}
