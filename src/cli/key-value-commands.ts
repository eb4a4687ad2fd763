import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { MOST_VALUE_BYTES } from '../key-value/codec.js';
import type { Call } from './client.js';
import { call } from './client.js';
import type { ClientFlags } from './client-flags.js';
import { clientOptions, withClientFlags } from './client-flags.js';
import { CommandFailure, EXIT, usage } from './exit.js';

const NEWLINE = 0x0a;

const pathOf = (key: string): string => `/v1/kv/${encodeURIComponent(mustBeText('a key', key))}`;

/** Node gives what is no UTF-8 as U+FFFD: different keys would become one, and a value another. */
function mustBeText(what: string, argument: string): string {
  if (!argument.includes('\ufffd')) return argument;
  throw usage(
    `expected ${what} as an argument to be UTF-8, and it is not: to set a value of any bytes give - and write it to standard input`,
  );
}

export function addKeyValueCommands(program: Command): void {
  withClientFlags(program.command('put <key> <value>'))
    .description('set a key; the value - is read from standard input')
    .action(async (key: string, value: string, flags: ClientFlags) => {
      const { revision } = await change({ method: 'PUT', path: pathOf(key), body: bytesOf(value) }, flags);
      print(flags, { revision }, `revision ${revision}`);
    });

  withClientFlags(program.command('get <key>'))
    .description('print a value, byte for byte')
    .option('--consistency <level>', 'linearizable, or stale: whatever the node has', 'linearizable')
    .action(async (key: string, flags: ClientFlags & { consistency: string }) => {
      const query = { consistency: flags.consistency };
      const response = await call(clientOptions(flags), { method: 'GET', path: pathOf(key), query });
      const value = Buffer.from(await response.arrayBuffer());
      const revision = Number((response.headers.get('etag') ?? '').replaceAll('"', ''));
      if (flags.json) print(flags, { key, revision, value: value.toString('base64') }, '');
      else await write(value);
    });

  withClientFlags(program.command('delete <key>'))
    .description('remove a key')
    .action(async (key: string, flags: ClientFlags) => {
      const result = await change({ method: 'DELETE', path: pathOf(key) }, flags);
      print(flags, result, result.deleted ? `deleted, revision ${result.revision}` : 'there was no such key');
    });

  withClientFlags(program.command('cas <key> <revision> <value>'))
    .description('set a key only if it has this revision; 0: only if it does not exist')
    .action(async (key: string, revision: string, value: string, flags: ClientFlags) => {
      if (!/^\d{1,15}$/.test(revision)) throw usage(`expected a revision, a whole number from 0 up, got "${revision}"`);
      const headers = revision === '0' ? { 'If-None-Match': '*' } : { 'If-Match': `"${Number(revision)}"` };
      const result = await change({ method: 'PUT', path: pathOf(key), headers, body: bytesOf(value) }, flags);
      print(flags, { revision: result.revision }, `revision ${result.revision}`);
    });

  withClientFlags(program.command('list [prefix]'))
    .description('list keys in byte order, with their revisions')
    .option('--limit <n>', 'at most so many', '1000')
    .option('--after <key>', 'only keys after this one')
    .action(async (prefix: string | undefined, flags: ClientFlags & { limit: string; after?: string }) => {
      const query = {
        prefix: prefix ?? '',
        limit: flags.limit,
        ...(flags.after === undefined ? {} : { after: flags.after }),
      };
      const response = await call(clientOptions(flags), { method: 'GET', path: '/v1/kv', query });
      const page = (await response.json()) as Page;
      const lines = page.items.map(({ key, revision }) => `${printable(key)}\t${revision}`);
      print(flags, page, lines.join('\n'));
      if (page.next !== null && !flags.json) process.stderr.write(`more: --after ${printable(page.next)}\n`);
    });
}

/** The bytes as they are; on a terminal the next prompt begins on a line of its own. */
function write(value: Buffer): Promise<void> {
  const wantsNewline = process.stdout.isTTY && value.at(-1) !== NEWLINE;
  const bytes = wantsNewline ? Buffer.concat([value, Buffer.from([NEWLINE])]) : value;
  return new Promise((resolve) => process.stdout.write(bytes, () => resolve()));
}

interface Page {
  readonly revision: number;
  readonly items: readonly { readonly key: string; readonly revision: number; readonly value: string }[];
  readonly next: string | null;
}

/** A key may hold anything; a terminal must not be told what to do by it. `--json` prints it as it is. */
function printable(key: string): string {
  return key.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function change(request: Call, flags: ClientFlags): Promise<{ revision: number; deleted?: boolean }> {
  const response = await call(clientOptions(flags), request);
  return (await response.json()) as { revision: number; deleted?: boolean };
}

/** Refused here where no node would take it: one that refuses it hangs up before all of it is sent. */
function bytesOf(value: string): Uint8Array {
  const bytes = value === '-' ? readFileSync(0) : Buffer.from(mustBeText('a value', value));
  if (bytes.byteLength <= MOST_VALUE_BYTES) return bytes;
  const message = `expected a value of at most ${MOST_VALUE_BYTES} bytes, got ${bytes.byteLength}: split it`;
  throw new CommandFailure(EXIT.failed, 'TOO_LARGE', message);
}

function print(flags: ClientFlags, document: object, text: string): void {
  if (flags.json) process.stdout.write(`${JSON.stringify(document)}\n`);
  else if (text !== '') process.stdout.write(`${text}\n`);
}
