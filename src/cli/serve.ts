import type { Logger } from 'pino';
import { pino } from 'pino';
import type { Inspector } from '../inspect/inspector-server.js';
import { openInspector } from '../inspect/inspector-server.js';
import { STATELY_URL, sendToStately } from '../inspect/send-to-stately.js';
import { KeyValueStore } from '../key-value/store.js';
import { ReplicaNode } from '../node/replica-node.js';
import { fromEnvironment } from '../node/serve-form.js';
import { systemClock } from '../node/system-clock.js';
import { loadZod } from '../node/zod.js';
import { setCollectorFlags } from './collector-flags.js';
import type { Configuration, ServeConfiguration } from './configuration.js';
import { checkedConfiguration, configure } from './configuration.js';
import { EXIT, usage } from './exit.js';
import { STATELY } from './serve-options.js';
import { ownStartCommand } from './start-command.js';

export interface ServeFlags extends Record<string, unknown> {
  readonly config?: string;
  readonly join?: string;
  readonly printConfig?: boolean;
  readonly inspect?: string | boolean;
  readonly json?: boolean;
}

/** Runs one node until a signal or a failure ends it, or shows how it would be run. */
export async function serve(flags: ServeFlags): Promise<void> {
  const configuration = configure(flags, process.env, flags.config ?? fromEnvironment('QUORATE_CONFIG', process.env));
  const z = await loadZod();
  // The values are shown first: then it is seen where the wrong one comes from, and which one is missing.
  if (flags.printConfig === true) printConfiguration(configuration, flags.json === true);
  const checked = checkedConfiguration(z, configuration);
  if (flags.printConfig !== true) await run(checked);
}

async function run({ node: options, inspect, logLevel }: ServeConfiguration): Promise<void> {
  setCollectorFlags();
  const logger = pino({ level: logLevel, base: { pid: process.pid } });
  const startCommand = ownStartCommand();
  const node = await ReplicaNode.open({ ...options, stateMachine: new KeyValueStore(), logger, startCommand });
  logger.info(
    { node: options.id, address: node.address, data: options.dataDir },
    `listening at http://${node.address}`,
  );
  const inspector = await openInspectorOf(node, inspect, logger).catch(async (error: Error) => {
    await node.close();
    throw error;
  });
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
  if (fromEnvironment('QUORATE_ENDS_WITH_INPUT', process.env) !== undefined)
    process.stdin.resume().once('close', () => stop('SIGTERM'));
}

async function openInspectorOf(
  { actor }: ReplicaNode<KeyValueStore>,
  inspect: ServeConfiguration['inspect'],
  logger: Logger,
): Promise<Pick<Inspector, 'close'> | undefined> {
  if (inspect === undefined) return undefined;
  if (inspect === STATELY) {
    const inspector = await sendToStately(actor).catch(() => {
      throw usage('--inspect=stately needs the package @statelyai/inspect: npm install @statelyai/inspect');
    });
    logger.info({}, `charts for the Stately inspector go to ${STATELY_URL}, where createInspectorServer() listens`);
    return inspector;
  }
  const opened = await openInspector({ actor, clock: systemClock, port: inspect }).catch((error: Error) => {
    throw usage(`the charts cannot be shown on port ${inspect} (${error.message}): take another --inspect`);
  });
  logger.info({ port: opened.port }, `charts for viewers of @xstate/inspect at ws://127.0.0.1:${opened.port}`);
  return opened;
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
