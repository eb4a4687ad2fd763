import type { Consistency } from '../calls/call-options.js';
import { checkConsistency, parseWholeNumber } from '../calls/call-options.js';
import type { CommandInput, CommandOutput, ServiceCommand } from '../client/service-command.js';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { bytesOf } from './checks.js';
import type { KeyValueClient } from './client.js';
import { MOST_VALUE_BYTES } from './codec.js';
import { MOST_ITEMS } from './queries.js';

const put: ServiceCommand<KeyValueClient> = {
  usage: 'put <key> <value>',
  description: 'set a key; the value - is read from standard input',
  prepare: (input) => {
    const key = keyIn(input);
    const value = valueIn(input, 1);
    return { ask: async (client, options) => written(await client.put(key, value, options)) };
  },
};

const get: ServiceCommand<KeyValueClient> = {
  usage: 'get <key>',
  description: 'print a value, byte for byte',
  options: [
    {
      flag: '--consistency <level>',
      description: 'linearizable, lease (a leader that has one asks nobody), or stale: whatever the node has',
      otherwise: 'linearizable',
    },
  ],
  prepare: (input) => {
    const key = keyIn(input);
    const consistency = checkConsistency(input.flags.consistency as Consistency);
    return {
      asksOneNode: consistency === 'stale',
      ask: async (client, options) => {
        const { answer, index } = await client.getWithIndex(key, { ...options, consistency });
        if (answer === undefined)
          throw new QuorateError('QUORATE_NOT_FOUND', `there is no key ${key}`, { details: { index } });
        const { revision, value } = answer;
        return { document: { key, revision, value: base64(value), index }, shown: value };
      },
    };
  },
};

const remove: ServiceCommand<KeyValueClient> = {
  usage: 'delete <key>',
  description: 'remove a key',
  prepare: (input) => {
    const key = keyIn(input);
    return {
      ask: async (client, options) => {
        const { deleted, revision } = await client.delete(key, options);
        if (!deleted) return { document: { deleted }, shown: 'there was no such key\n' };
        return { document: { revision, deleted }, shown: `deleted, revision ${revision}\n` };
      },
    };
  },
};

const cas: ServiceCommand<KeyValueClient> = {
  usage: 'cas <key> <revision> <value>',
  description: 'set a key only if it has this revision; 0: only if it does not exist',
  prepare: (input) => {
    const key = keyIn(input);
    const given = input.args[1] ?? '';
    const ifRevision = parseWholeNumber(given, { least: 0, most: Number.MAX_SAFE_INTEGER });
    if (ifRevision === undefined) throw badRequest(`expected a revision, a whole number from 0 up, got "${given}"`);
    const value = valueIn(input, 2);
    return { ask: async (client, options) => written(await client.put(key, value, { ...options, ifRevision })) };
  },
};

const list: ServiceCommand<KeyValueClient> = {
  usage: 'list [prefix]',
  description: 'list keys in byte order, with their revisions',
  options: [
    { flag: '--limit <n>', description: `at most so many; no more than ${MOST_ITEMS} come at once`, otherwise: '1000' },
    { flag: '--after <key>', description: 'only keys after this one' },
  ],
  prepare: ({ args: [prefix = ''], flags }) => {
    const limit = limitIn(flags.limit ?? '');
    const after = flags.after === undefined ? {} : { after: flags.after };
    return {
      ask: async (client, options) => {
        const { revision, items, next } = await client.list({ ...options, prefix, limit, ...after });
        const lines = items.map((item) => `${printable(item.key)}\t${item.revision}\n`);
        const shownItems = items.map((item) => ({ key: item.key, revision: item.revision, value: base64(item.value) }));
        const note = next === null ? {} : { note: `more: --after ${printable(next)}\n` };
        return { document: { revision, items: shownItems, next }, shown: lines.join(''), ...note };
      },
    };
  },
};

/** The commands of the key-value store on the command line. */
export const keyValueCommands: readonly ServiceCommand<KeyValueClient>[] = [put, get, remove, cas, list];

function written({ revision }: { readonly revision: number }): CommandOutput {
  return { document: { revision }, shown: `revision ${revision}\n` };
}

const keyIn = ({ args }: CommandInput): string => textIn('a key', args[0] ?? '');

function valueIn({ args, standardInput }: CommandInput, at: number): Uint8Array {
  const argument = args[at] ?? '';
  if (argument !== '-') return bytesOf(textIn('a value', argument));
  const value = standardInput(MOST_VALUE_BYTES);
  if (value.byteLength <= MOST_VALUE_BYTES) return value;
  throw new QuorateError(
    'QUORATE_TOO_LARGE',
    `expected a value of at most ${MOST_VALUE_BYTES} bytes on standard input, got more: split it`,
  );
}

/** Node gives what is no UTF-8 as U+FFFD: different keys would become one, and a value another. */
function textIn(what: string, argument: string): string {
  if (!argument.includes('\ufffd')) return argument;
  throw badRequest(
    `expected ${what} as an argument to be UTF-8, and it is not: to set a value of any bytes give - and write it to standard input`,
  );
}

/** A limit over the most that a page may have gives such a page, and says where the next one begins. */
function limitIn(text: string): number {
  const limit = parseWholeNumber(text, { least: 1, most: Number.MAX_SAFE_INTEGER });
  if (limit === undefined)
    throw badRequest(
      `expected --limit to be a whole number from 1 up (no more than ${MOST_ITEMS} come at once), got "${text}"`,
    );
  return Math.min(limit, MOST_ITEMS);
}

/** A key may hold anything; a terminal must not be told what to do by it. `--json` prints it as it is. */
function printable(key: string): string {
  return key.replace(/\p{Cc}/gu, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
