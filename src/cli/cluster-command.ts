import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Command } from 'commander';
import { fromEnvironment } from '../node/serve-form.js';
import { makeDirectory, refuseOtherCluster, runningNodes } from './cluster-data.js';
import { exchange } from './exchange.js';
import { CommandFailure, EXIT } from './exit.js';
import { numberOfFlag } from './flag-number.js';
import { LogFile } from './log-file.js';
import { entryPoint, quorateCommand } from './start-command.js';
import { createSecondWish } from './stop-signals.js';

interface ClusterFlags {
  readonly nodes: string;
  readonly port: string;
  readonly data: string;
  readonly verbose?: boolean;
}

interface Member {
  readonly id: string;
  readonly address: string;
  readonly arguments: readonly string[];
  readonly logFile: string;
  child: ChildProcess;
  /** The last lines that it printed: its reasons, should it die. */
  lastLines: string[];
}

const READY_WITHIN_MS = 30_000;
const POLL_MS = 50;
const ANSWER_WITHIN_MS = 5_000;

export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .description('run a whole cluster on this machine, a process for each node; Ctrl-C stops it')
    .option('--nodes <n>', 'how many', fromEnvironment('QUORATE_NODES', process.env) ?? '3')
    .option(
      '--port <port>',
      "the first node's; the others follow",
      fromEnvironment('QUORATE_PORT', process.env) ?? '7401',
    )
    .option(
      '--data <dir>',
      'where the nodes keep their logs between runs',
      fromEnvironment('QUORATE_DATA', process.env) ?? '.quorate',
    )
    .option('--verbose', "show the nodes' logs here, too")
    .action(async (flags: ClusterFlags) => {
      const nodes = numberOfFlag('--nodes', flags.nodes, { least: 1, most: 9 }, 'QUORATE_NODES');
      const port = numberOfFlag('--port', flags.port, { least: 1, most: 65_536 - nodes }, 'QUORATE_PORT');
      const ids = Array.from({ length: nodes }, (_, at) => `n${at + 1}`);
      makeDirectory(flags.data);
      refuseOtherCluster(flags.data, ids);
      refuseRunningNodes(flags.data, ids);
      // A process that listens there would answer in our nodes' place.
      for (let at = port; at < port + nodes; at += 1) await refuseTakenPort(at);
      await new LocalCluster(flags, ids, port).run();
    });
}

class LocalCluster {
  readonly #flags: ClusterFlags;
  readonly #members: Member[];
  #isStopping = false;
  readonly #isSecondWish = createSecondWish();
  /** A node that died before that has a reason that another start would meet, too. */
  #isReady = false;

  constructor(flags: ClusterFlags, ids: readonly string[], port: number) {
    this.#flags = flags;
    const addresses = ids.map((id, at) => [id, `127.0.0.1:${port + at}`] as const);
    const peers = addresses.map(([id, address]) => `${id}=${address}`).join(',');
    this.#members = addresses.map(([id, address]) => {
      const data = path.resolve(flags.data, id);
      const args = ['serve', '--id', id, '--listen', address, '--peers', peers, '--data', data];
      const logFile = path.join(flags.data, `${id}.log`);
      return { id, address, arguments: args, logFile, child: this.#start(id, args, logFile), lastLines: [] };
    });
    for (const member of this.#members) this.#follow(member);
  }

  async run(): Promise<void> {
    const ended = Promise.all(
      this.#members.map(({ child }) => new Promise<void>((resolve) => child.once('close', () => resolve()))),
    );
    process.on('SIGINT', () => this.#stop('SIGINT'));
    process.on('SIGTERM', () => this.#stop('SIGTERM'));
    const leader = await this.#leader(ended);
    this.#isReady = leader !== undefined;
    if (leader !== undefined) this.#greet(leader);
    await ended;
    if (!this.#isStopping)
      throw new CommandFailure(EXIT.failed, 'NO_QUORUM', 'all nodes that were started here have stopped');
    process.exit(EXIT.done);
  }

  #start(id: string, args: readonly string[], logFile: string): ChildProcess {
    // A group of its own: Ctrl-C reaches this process alone, which then stops the nodes in good order.
    const child = spawn(process.execPath, [...process.execArgv, entryPoint(), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: nodeEnvironment(process.env),
    });
    const log = new LogFile(logFile, ({ code, message }) =>
      say(
        `the log of ${id} cannot be written to ${logFile} (${code ?? message}), and its lines are lost until it can: free space, or mend the path; the node goes on`,
      ),
    );
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => log.write(chunk));
      if (this.#flags.verbose === true)
        stream?.on('data', (chunk: Buffer) => process.stderr.write(prefixed(id, chunk)));
    }
    return child;
  }

  #follow(member: Member): void {
    member.child.stderr?.on('data', (chunk: Buffer) => {
      member.lastLines = [...member.lastLines, ...chunk.toString().trim().split('\n')].slice(-3);
    });
    member.child.once('close', (code, signal) => {
      if (this.#isStopping) return;
      const how = signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
      say(`${member.id} ${how}.${member.lastLines.length > 0 ? ` It said: ${member.lastLines.join(' ')}` : ''}`);
      if (this.#isReady)
        say(`Its log: ${member.logFile}. This brings it back:\n\n  ${quorateCommand(member.arguments)}\n`);
    });
  }

  /** The leader as soon as one serves; undefined when the cluster was stopped, or died, before. */
  async #leader(ended: Promise<unknown>): Promise<string | undefined> {
    let isOver = false;
    ended.then(() => {
      isOver = true;
    });
    const started = performance.now();
    let nextWord = 3_000;
    while (!isOver && !this.#isStopping) {
      const leader = await this.#askForLeader();
      if (leader !== undefined && (await this.#allAnswer())) return leader;
      const failed = this.#members.filter(({ child }) => child.exitCode !== null);
      if (failed.length * 2 >= this.#members.length) return this.#giveUp(failed);
      const waitedMs = performance.now() - started;
      if (waitedMs > nextWord) {
        nextWord += 3_000;
        say(`waiting for a leader; logs are in ${this.#flags.data}`);
      }
      if (waitedMs > READY_WITHIN_MS) return this.#giveUp([]);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return undefined;
  }

  async #askForLeader(): Promise<string | undefined> {
    for (const { id, address } of this.#members) {
      try {
        const status = (await (await ask(address, '/v1/status')).json()) as { role: string };
        if (status.role === 'leader' && (await ask(address, '/health/ready')).ok) return id;
      } catch {
        // Not listening yet.
      }
    }
    return undefined;
  }

  /** Those that did not die yet: whoever reads "ready" may ask any of them. */
  async #allAnswer(): Promise<boolean> {
    const living = this.#members.filter(({ child }) => child.exitCode === null);
    const answers = living.map(({ address }) => ask(address, '/health/ready').then(({ ok }) => ok));
    return (await Promise.all(answers.map((answer) => answer.catch(() => false)))).every(Boolean);
  }

  #giveUp(failed: readonly Member[]): never {
    this.#isStopping = true;
    for (const { child } of this.#members) child.kill('SIGTERM');
    const reasons = failed.map(({ id, lastLines }) => `${id}: ${lastLines.join(' ')}`).join('; ');
    throw new CommandFailure(
      EXIT.failed,
      'NO_QUORUM',
      failed.length === 0
        ? `no leader within ${READY_WITHIN_MS / 1000} s; see the logs in ${this.#flags.data}`
        : `the cluster did not start: ${reasons}`,
    );
  }

  #greet(leaderId: string): void {
    const [first, second = first] = this.#members;
    const leader = this.#members.find(({ id }) => id === leaderId);
    for (const { id, address, child } of this.#members) {
      process.stdout.write(`${id}  http://${address}  pid ${child.pid}${id === leaderId ? '  leader' : ''}\n`);
    }
    process.stdout.write(`open http://${first?.address}  to watch the cluster\nready\n`);
    // With fewer than three nodes none can be spared.
    const kill =
      this.#members.length < 3 ? '' : `\n  kill -9 ${leader?.child.pid}        # the leader; the others elect another`;
    const endpoints = this.#members.map(({ address }) => address).join(',');
    say(`
Try:
  curl -X PUT http://${first?.address}/v1/kv/greeting -d hello
  curl http://${second?.address}/v1/kv/greeting
  curl http://${first?.address}/v1/status${kill}
  export QUORATE_ENDPOINTS=${endpoints}   # whom quorate's other commands ask, dead or alive
Logs and data are in ${this.#flags.data}. Ctrl-C stops the cluster.`);
  }

  #stop(signal: NodeJS.Signals): void {
    if (this.#isSecondWish()) for (const { child } of this.#members) child.kill('SIGKILL');
    if (this.#isStopping) return;
    say('stopping; once more stops at once');
    this.#isStopping = true;
    for (const { child } of this.#members) child.kill(signal);
  }
}

const ask = (address: string, path: string): Promise<Response> => {
  return exchange(address, path, ANSWER_WITHIN_MS);
};

/** The part of this process's environment that concerns all nodes: an address of one is none for the others. */
function nodeEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ofOne = ['ID', 'LISTEN', 'ADVERTISE', 'PEERS', 'DATA', 'INSPECT', 'CONFIG', 'START_COMMAND'].map(
    (name) => `QUORATE_${name}`,
  );
  const ofAll = Object.entries(environment).filter(([name]) => !ofOne.includes(name));
  // A node ends with this process, also when that is killed or its terminal is closed: nobody else would stop it.
  return { ...Object.fromEntries(ofAll), QUORATE_ENDS_WITH_INPUT: '1' };
}

function refuseRunningNodes(data: string, ids: readonly string[]): void {
  const running = runningNodes(data, ids);
  if (running.length === 0) return;
  const who = running.map(({ id, pid }) => `${id} (process ${pid})`).join(', ');
  const how = `kill ${running.map(({ pid }) => pid).join(' ')}`;
  throw new CommandFailure(
    EXIT.failed,
    'DATA_LOCKED',
    running.length === 1
      ? `${data} is in use: ${who} runs; stop it ("${how}"), or take another --data`
      : `${data} is in use: ${who} run; stop them ("${how}"), or take another --data`,
  );
}

function refuseTakenPort(port: number): Promise<void> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE'
          ? `something listens there already: stop it, or take another port (127.0.0.1:${port}, --port)`
          : `cannot listen at 127.0.0.1:${port} (${message}): take another --port${port < 1_024 ? ', 1024 or above' : ''}`;
      reject(new CommandFailure(EXIT.usage, 'CONFIG_INVALID', why));
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}

function prefixed(id: string, chunk: Buffer): string {
  return chunk.toString().replace(/^(?=.)/gm, `${id} `);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
