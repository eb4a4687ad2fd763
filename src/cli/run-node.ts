import type { Logger } from 'pino';
import { pino } from 'pino';
import type { AnyActorRef } from 'xstate';
import { QuorateError } from '../errors/quorate-error.js';
import { openInspector } from '../inspect/inspector-server.js';
import { loadStately, STATELY_URL } from '../inspect/send-to-stately.js';
import { KeyValueStore } from '../key-value/store.js';
import { isQuietEvent } from '../node/inspected-events.js';
import { descriptor, LogOutput } from '../node/log-output.js';
import { ReplicaNode } from '../node/replica-node.js';
import { systemClock } from '../node/system-clock.js';
import { setCollectorFlags } from './collector-flags.js';
import type { ServeConfiguration } from './configuration.js';
import { EXIT, usage } from './exit.js';
import { STATELY } from './serve-options.js';
import { ownStartCommand } from './start-command.js';
import { whenStopped } from './stop-signals.js';

/** A reader of the log that takes longer misses its end. */
const LAST_LINES_WITHIN_MS = 1_000;

/** Runs one node until `stop` is aborted, or a failure ends it. A start that is stopped ends as a node that is stopped does. */
export async function runNode(
  { node: options, inspect, logLevel }: ServeConfiguration,
  stop: AbortSignal,
): Promise<void> {
  setCollectorFlags();
  const output = openLog(options.id, () => logger);
  const logger = pino({ level: logLevel, base: { pid: process.pid } }, output);
  const end = async (exitCode: number): Promise<never> => {
    await output.idle(LAST_LINES_WITHIN_MS);
    process.exit(exitCode);
  };
  let isOpen = false;
  whenStopped(stop, () => {
    const what = isOpen ? 'stopping' : 'the start is broken off';
    logger.info({ node: options.id, signal: stop.reason }, `${stop.reason}: ${what}; once more stops at once`);
  });
  const startCommand = options.startCommand ?? ownStartCommand();
  const inspector = await prepareInspector(inspect);
  const stateMachine = new KeyValueStore();
  const opening = ReplicaNode.open({ ...options, stateMachine, logger, startCommand, signal: stop });
  const node = await opening.catch(async (error: unknown) => {
    await inspector?.close();
    if (error instanceof QuorateError && error.code === 'QUORATE_ABORTED') return end(EXIT.done);
    throw error;
  });
  isOpen = true;
  logger.info(
    { node: options.id, address: node.address, data: options.dataDir },
    `listening at http://${node.address}`,
  );
  inspector?.show(node.actor, logger);
  const close = async (): Promise<void> => {
    await Promise.all([inspector?.close(), node.close()]);
  };
  node.actor.on('node.halted', () => {
    process.exitCode = EXIT.failed;
    close().finally(() => end(EXIT.failed));
  });
  whenStopped(stop, () => {
    close().then(
      () => end(EXIT.done),
      (error: unknown) => {
        logger.error({ err: error }, 'could not stop cleanly');
        return end(EXIT.failed);
      },
    );
  });
}

/** The log of `quorate serve`: standard output, whatever becomes of it. */
function openLog(id: string, logger: () => Logger): LogOutput {
  // Node.js makes a pipe non-blocking when it opens `process.stdout`: one that nobody reads then keeps no thread, nor the process.
  const { fd } = process.stdout;
  const output = new LogOutput({
    device: descriptor(fd),
    failed: (why) =>
      process.stderr.write(
        `quorate: the log of node ${id} cannot be written to standard output (${why}), and its lines are lost until it can: free space, or mend what reads it; the node goes on\n`,
      ),
    resumed: (lines, why) =>
      logger().warn(
        { node: id, event: 'log lines lost', lines },
        `lines of this log that were lost before this one: ${lines} (${why})`,
      ),
  });
  process.once('exit', () => output.finish());
  return output;
}

interface PreparedInspector {
  show(actor: AnyActorRef, logger: Logger): void;
  close(): Promise<void>;
}

/** Prepares what `--inspect` asks for before the node is opened: a value that cannot work is refused before anything begins. */
async function prepareInspector(inspect: ServeConfiguration['inspect']): Promise<PreparedInspector | undefined> {
  if (inspect === undefined) return undefined;
  return inspect === STATELY ? prepareStately() : listenForViewers(inspect);
}

async function prepareStately(): Promise<PreparedInspector> {
  const send = await loadStately().catch(() => {
    throw usage('--inspect=stately needs the package @statelyai/inspect: npm install @statelyai/inspect');
  });
  let sending: { close(): Promise<void> } | undefined;
  return {
    show: (actor, logger) => {
      sending = send(actor);
      logger.info({}, `charts for the Stately inspector go to ${STATELY_URL}, where createInspectorServer() listens`);
    },
    close: async () => sending?.close(),
  };
}

async function listenForViewers(port: number): Promise<PreparedInspector> {
  const inspector = await openInspector({ clock: systemClock, port, isQuiet: isQuietEvent }).catch(
    (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken, by another node's --inspect or another program`
          : error.message;
      throw usage(
        `the charts cannot be shown on port ${port}: ${why}: give --inspect another port, or 0 for any free one`,
      );
    },
  );
  return {
    show: (actor, logger) => {
      inspector.show(actor);
      logger.info(
        { port: inspector.port },
        `charts for viewers of @xstate/inspect at ws://127.0.0.1:${inspector.port}`,
      );
    },
    close: () => inspector.close(),
  };
}
