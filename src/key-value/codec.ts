import { QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import type { Codec } from '../seams/state-machine.js';
import type { SlabAllocator } from '../wire/bytes.js';
import { ByteReader, ByteWriter, encodeText, MalformedBytes } from '../wire/bytes.js';

/** `absent`: the key must not exist; a number: its entry must have this revision. */
export type Condition = number | 'absent';

export interface Put {
  readonly kind: 'put';
  readonly key: string;
  readonly value: Uint8Array;
  readonly condition?: Condition;
}

export interface Delete {
  readonly kind: 'delete';
  readonly key: string;
  readonly condition?: Condition;
}

export type KeyValueCommand = Put | Delete;

export type KeyValueResult =
  | { readonly kind: 'put'; readonly revision: number }
  /** `revision` is the store's: grown by one where something was deleted. */
  | { readonly kind: 'deleted'; readonly revision: number; readonly deleted: boolean }
  /** The condition did not hold: the entry's present revision, null where it is absent. */
  | { readonly kind: 'conflict'; readonly revision: number | null };

export const MOST_KEY_BYTES = 4_096;
/** Most bytes of a value that a node takes from clients, by default. */
export const MOST_VALUE_BYTES = 8 * 1024 * 1024;

/** Half of a surrogate pair has no UTF-8: different keys would become one. */
export const isWellFormed = (key: string): boolean => !/\p{Surrogate}/u.test(key);

const NO_BYTES = new Uint8Array(0);
const NO_CONDITION = 0;
const IF_ABSENT = 1;
const IF_REVISION = 2;

/** A node's store and a client, which encode much, have an allocator each. Without one each command gets memory of its own. */
export function createKeyValueCommandCodec(allocator?: SlabAllocator): Codec<KeyValueCommand> {
  return {
    encode: (command) => {
      checkCommand(command);
      return encodeCommand(command, allocator);
    },
    decode: (bytes) => {
      const reader = new ByteReader(bytes);
      const isPut = !reader.boolean();
      const condition = readCondition(reader);
      const key = reader.text(MOST_KEY_BYTES);
      // Copied: a view would keep the whole frame that the command came in.
      const value = isPut ? reader.run(reader.u32()).slice() : NO_BYTES;
      reader.end();
      if (condition === undefined) return isPut ? { kind: 'put', key, value } : { kind: 'delete', key };
      return isPut ? { kind: 'put', key, value, condition } : { kind: 'delete', key, condition };
    },
  };
}

export const keyValueCommandCodec = createKeyValueCommandCodec();

/** Encodes like the codec, without its checks. */
export function encodeCommand(command: KeyValueCommand, allocator?: SlabAllocator): Uint8Array {
  const key = encodeText(command.key);
  const value = command.kind === 'put' ? command.value : undefined;
  const size = 1 + 1 + 8 + 4 + key.byteLength + (value === undefined ? 0 : 4 + value.byteLength);
  const writer = new ByteWriter(size, allocator?.allocate(size)).u8(command.kind === 'put' ? 0 : 1);
  writeCondition(writer, command.condition).text(key);
  return value === undefined ? writer.bytes : writer.text(value).bytes;
}

const FIELDS = ['kind', 'key', 'value', 'condition'];

/** From code without types, too: what no replica could decode would halt them all. Throws BAD_REQUEST. */
function checkCommand(command: KeyValueCommand): void {
  const { kind, key, condition } = Object(command) as KeyValueCommand;
  const refuse = (why: string): never => {
    throw new QuorateError('QUORATE_BAD_REQUEST', why);
  };
  for (const name in Object(command)) {
    if (!FIELDS.includes(name))
      refuse(`expected no field but ${FIELDS.join(', ')} in a command, got ${name}: leave it out, or correct its name`);
  }
  if (kind !== 'put' && kind !== 'delete')
    refuse(`expected the kind of a command to be "put" or "delete", got ${shown(kind)}`);
  if (typeof key !== 'string') refuse(`expected a key to be a string, got ${shown(key)}`);
  if (!isWellFormed(key)) refuse('expected a key to be text that UTF-8 can hold, got one with half a surrogate pair');
  if (key.length === 0 || key.length * 3 > MOST_KEY_BYTES) {
    const bytes = encodeText(key).byteLength;
    if (bytes < 1 || bytes > MOST_KEY_BYTES)
      refuse(`expected a key of 1 to ${MOST_KEY_BYTES} bytes of UTF-8, got ${bytes} bytes`);
  }
  if (command.kind === 'put' && !(command.value instanceof Uint8Array))
    refuse(`expected the value of a put to be a Uint8Array, got ${shown(command.value)}`);
  if (condition !== undefined && condition !== 'absent' && !(Number.isSafeInteger(condition) && condition >= 0))
    refuse(`expected a condition to be "absent" or a revision, got ${shown(condition)}`);
}

/**
 * Checks bytes that a stranger sent as a command before they may enter the log, where each replica will have to decode them. Returns
 * the size of the command's value in bytes; throws MalformedBytes.
 */
export function checkKeyValueCommand(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  const isPut = !reader.boolean();
  readCondition(reader);
  const keyBytes = reader.skipText(MOST_KEY_BYTES);
  const valueBytes = isPut ? reader.u32() : 0;
  reader.skip(valueBytes);
  reader.end();
  if (keyBytes === 0) throw new MalformedBytes('an empty key');
  return valueBytes;
}

export const keyValueResultCodec: Codec<KeyValueResult> = {
  encode: (result) => {
    const writer = new ByteWriter(1 + 1 + 8);
    switch (result.kind) {
      case 'put':
        return writer.u8(0).u8(0).u64(result.revision).bytes;
      case 'deleted':
        return writer.u8(1).u8(Number(result.deleted)).u64(result.revision).bytes;
      case 'conflict':
        return writer
          .u8(2)
          .u8(Number(result.revision !== null))
          .u64(result.revision ?? 0).bytes;
    }
  },
  decode: (bytes) => {
    const reader = new ByteReader(bytes);
    const kind = reader.u8();
    const flag = reader.boolean();
    const revision = reader.u64();
    switch (kind) {
      case 0:
        return { kind: 'put', revision };
      case 1:
        return { kind: 'deleted', revision, deleted: flag };
      case 2:
        return { kind: 'conflict', revision: flag ? revision : null };
      default:
        throw new MalformedBytes(`${kind} is no result of the key-value store`);
    }
  },
};

function writeCondition(writer: ByteWriter, condition: Condition | undefined): ByteWriter {
  if (condition === undefined) return writer.u8(NO_CONDITION).u64(0);
  return condition === 'absent' ? writer.u8(IF_ABSENT).u64(0) : writer.u8(IF_REVISION).u64(condition);
}

export function readCondition(reader: ByteReader): Condition | undefined {
  const kind = reader.u8();
  const revision = reader.u64();
  if (kind === NO_CONDITION) return undefined;
  if (kind === IF_ABSENT) return 'absent';
  if (kind === IF_REVISION) return revision;
  throw new MalformedBytes(`${kind} is no kind of condition`);
}

/** Why a write was not done whose condition failed. `revision` is the entry's present one, null where it is absent. */
export function conflict(key: string, revision: number | null): QuorateError {
  const now = revision === null ? 'does not exist' : `has revision ${revision}`;
  return new QuorateError('QUORATE_CONFLICT', `the condition failed: ${key} ${now}`, { details: { revision } });
}
