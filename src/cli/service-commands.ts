import type { Command } from 'commander';
import type { ServiceClient } from '../client/service-client.js';
import type { CommandCall, CommandOutput, ServiceCommand } from '../client/service-command.js';
import type { AnyService } from '../seams/service.js';
import type { ClientFlags, ClientOptions } from './client-flags.js';
import { clientOptions, withClientFlags } from './client-flags.js';
import type { Dial } from './dial.js';
import { EXIT } from './exit.js';
import { askFirst } from './first-endpoint.js';
import { readStandardInput } from './standard-input.js';

const NEWLINE = 0x0a;

/** Offers the commands of a service. `dialer` brings what dials a cluster: only a command that is run waits for it. */
export function addServiceCommands<Client extends ServiceClient<AnyService>>(
  program: Command,
  commands: readonly ServiceCommand<Client>[],
  dialer: () => Promise<Dial<Client>>,
): void {
  for (const { usage, description, options = [], prepare } of commands) {
    const command = withClientFlags(program.command(usage)).description(description);
    for (const option of options) command.option(option.flag, option.description, option.otherwise);
    command.action(async (...given: readonly unknown[]) => {
      const flags = given.at(-2) as ClientFlags & Record<string, string | undefined>;
      const args = given.slice(0, -2).filter((argument) => argument !== undefined) as string[];
      const call = prepare({ args, flags, standardInput: readStandardInput });
      print(flags, await run(await dialer(), call, clientOptions(flags)));
      endProcess();
    });
  }
}

async function run<Client extends ServiceClient<AnyService>>(
  dial: Dial<Client>,
  { ask, asksOneNode = false }: CommandCall<Client>,
  options: ClientOptions,
): Promise<CommandOutput> {
  if (!asksOneNode) return askWithin(dial, ask, options);
  return askFirst(options, (endpoint, timeoutMs) =>
    askWithin(dial, ask, { endpoints: [endpoint], timeoutMs, asksOneNode }),
  );
}

async function askWithin<Client extends ServiceClient<AnyService>>(
  dial: Dial<Client>,
  ask: CommandCall<Client>['ask'],
  options: ClientOptions & { readonly asksOneNode?: boolean },
): Promise<CommandOutput> {
  const endMs = performance.now() + options.timeoutMs;
  const client = await dial(options);
  try {
    return await ask(client, { timeoutMs: Math.max(1, Math.floor(endMs - performance.now())) });
  } finally {
    await client.close();
  }
}

function print(flags: ClientFlags, { document, shown, note }: CommandOutput): void {
  if (flags.json === true) process.stdout.write(`${JSON.stringify(document)}\n`);
  else if (shown.length > 0) process.stdout.write(typeof shown === 'string' ? shown : onTerminal(shown));
  if (note !== undefined && flags.json !== true) process.stderr.write(note);
}

/** The bytes as they are; on a terminal the next prompt begins on a line of its own. */
function onTerminal(bytes: Uint8Array): Uint8Array {
  const wantsNewline = process.stdout.isTTY && bytes.at(-1) !== NEWLINE;
  return wantsNewline ? Buffer.concat([bytes, Buffer.from([NEWLINE])]) : bytes;
}

/**
 * Ends the process once all that was printed is written: a name that is still being looked up would keep it for as long as that
 * takes. What could not be written is an event of standard output, which ends the process in its own way.
 */
export function endProcess(): void {
  process.stdout.write('', (error) => {
    if (error === null || error === undefined) process.exit(process.exitCode ?? EXIT.done);
  });
}
