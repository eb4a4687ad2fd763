#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { keyValueCommands } from '../key-value/cli-commands.js';
import type { KeyValueClient } from '../key-value/client.js';
import { VERSION } from '../node/version.js';
import { addBenchCommand } from './bench-command.js';
import { addClusterCommand } from './cluster-command.js';
import type { Dial } from './dial.js';
import { problemWithVariables } from './environment.js';
import { asFailure, CommandFailure, EXIT, usage } from './exit.js';
import { addInspectorCommand } from './inspector-command.js';
import { addServeCommand } from './serve-command.js';
import { addServiceCommands } from './service-commands.js';
import { addSkipCommand } from './skip-command.js';
import { addSnapshotCommand } from './snapshot-command.js';
import { addStatusCommand } from './status-command.js';

/** Known, and not here yet: told apart from what is misspelled. */
const LATER = ['watch', 'members', 'transfer', 'backup', 'restore', 'verify', 'inspect', 'record', 'replay'];

/** There is something near to these already. */
const INSTEAD: Readonly<Record<string, string>> = {
  members: 'quorate status lists them: they are those of the first start',
  transfer:
    'stop the leader (SIGTERM), and the others elect another one; --priority says which nodes should rather not lead',
  backup: '"Backup and restore" in docs/operations.md has a script',
  restore: '"Backup and restore" in docs/operations.md has a script',
  verify: 'nodes compare their states by themselves, and check their files when they start',
  watch: 'quorate status --watch shows the cluster as it changes',
  inspect: "a running node's charts are at /inspector of its address, and quorate inspector shows those of any program",
};

/** Names that other stores have for our commands: closer to what was meant than any spelling. */
const SYNONYMS: Readonly<Record<string, string>> = {
  set: 'put',
  store: 'put',
  read: 'get',
  cat: 'get',
  del: 'delete',
  rm: 'delete',
  remove: 'delete',
  unset: 'delete',
  ls: 'list',
  keys: 'list',
  scan: 'list',
  info: 'status',
  ps: 'status',
  start: 'cluster',
  up: 'cluster',
  server: 'serve',
  benchmark: 'bench',
};

const isForScripts = process.argv.includes('--json');

function createProgram(): Command {
  const program = new Command('quorate')
    .description('A replicated key-value store, and Raft as a statechart that you can watch.')
    .version(VERSION)
    .showSuggestionAfterError()
    .showHelpAfterError('(--help shows what there is; a key or value that begins with a dash goes after --)')
    // Commands copy this, and say nothing themselves where a script reads along.
    .configureOutput(isForScripts ? { writeErr: () => undefined } : {})
    .exitOverride();
  addClusterCommand(program);
  addServeCommand(program);
  addServiceCommands(program, keyValueCommands, dialKeyValueStore);
  addStatusCommand(program);
  addSnapshotCommand(program);
  addSkipCommand(program);
  addBenchCommand(program, dialKeyValueStore);
  addInspectorCommand(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

/** Loaded only for commands that ask a cluster. */
async function dialKeyValueStore(): Promise<Dial<KeyValueClient>> {
  const [{ createDial }, { KeyValueClient: Client }] = await Promise.all([
    import('./dial.js'),
    import('../key-value/client.js'),
  ]);
  return createDial((options) => new Client(options));
}

async function main(words: readonly string[]): Promise<void> {
  const isHelp = words[0] === 'help';
  const name = words[isHelp ? 1 : 0] ?? '';
  if (LATER.includes(name)) {
    const instead = Object.hasOwn(INSTEAD, name) ? `; ${INSTEAD[name]}` : '';
    throw new CommandFailure(EXIT.usage, 'NOT_IN_THIS_VERSION', `${name}: not in this version${instead}`);
  }
  if (Object.hasOwn(SYNONYMS, name))
    throw usage(`there is no command ${name}: did you mean quorate ${SYNONYMS[name]}?`);
  const problem = problemWithVariables(process.env);
  if (problem !== undefined) throw usage(problem);
  const program = createProgram();
  const names = ['help', ...program.commands.map((command) => command.name())];
  // Commander would show the help of all commands, and not say why.
  if (isHelp && /^\w/.test(name) && !names.includes(name))
    throw usage(`there is no command ${name}: quorate --help lists those that there are`);
  await program.parseAsync([...words], { from: 'user' });
}

// A reader that reads no further, as `head` does, has had enough: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  const text = `quorate: what was asked for is done, but its result could not be printed (${error.code ?? error.message})\n`;
  process.stderr.write(text, () => process.exit(EXIT.failed));
});

// Messages that nobody reads are lost: that ends neither a node nor a cluster, and what was asked for is done all the same.
process.stderr.on('error', () => undefined);

main(process.argv.slice(2)).catch((error: unknown) => {
  const isHelp = error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help');
  if (isHelp || (error instanceof CommanderError && !isForScripts)) {
    // Commander has said what is wrong, or shown the help that was asked for.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    return;
  }
  const { exitCode, code, message, details } = asFailure(error);
  const text = isForScripts ? JSON.stringify({ error: { code, message, ...details } }) : `quorate: ${message}`;
  // A name that is still being looked up would keep the process for as long as that takes.
  process.stderr.write(`${text}\n`, () => process.exit(exitCode));
});
