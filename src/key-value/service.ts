import { parseWholeNumber } from '../calls/call-options.js';
import { badRequest, notInThisVersion, QuorateError } from '../errors/quorate-error.js';
import { defineService } from '../seams/define-service.js';
import type { RouteAnswer, RouteRequest } from '../seams/service.js';
import { DEFAULT_SERVICE } from '../wire/client-frames.js';
import type { Condition, KeyValueCommand, KeyValueResult } from './codec.js';
import {
  checkKeyValueCommand,
  conflict,
  keyValueCommandCodec,
  keyValueResultCodec,
  MOST_KEY_BYTES,
  MOST_VALUE_BYTES,
} from './codec.js';
import type { KeyValueReader, ListQuery } from './entries.js';
import { entryCodec, keyCodec, listQueryCodec, MOST_ITEMS, pageCodec } from './queries.js';

type Request<Params> = RouteRequest<KeyValueReader, KeyValueCommand, KeyValueResult, Params>;
type OfKey = Request<{ readonly key: string }>;

const DEFAULT_ITEMS = 1_000;

const keyValueRoutes = {
  'GET /v1/kv': listKeys,
  'GET /v1/kv/{key...}': getKey,
  'PUT /v1/kv/{key...}': putKey,
  'DELETE /v1/kv/{key...}': deleteKey,
};

async function putKey(request: OfKey): Promise<RouteAnswer> {
  request.allowQuery('timeout');
  const key = checkedKey(request);
  const condition = conditionOf(request);
  const value = await request.body();
  const { revision } = await propose(request, { kind: 'put', key, value, ...condition });
  return { json: { revision } };
}

async function deleteKey(request: OfKey): Promise<RouteAnswer> {
  request.allowQuery('timeout');
  const key = checkedKey(request);
  const result = await propose(request, { kind: 'delete', key, ...conditionOf(request) });
  const deleted = result.kind === 'deleted' && result.deleted;
  return { json: deleted ? { revision: result.revision, deleted } : { deleted: false } };
}

async function getKey(request: OfKey): Promise<RouteAnswer> {
  request.allowQuery('consistency', 'timeout');
  const key = checkedKey(request);
  const entry = await request.read((store) => store.get(key));
  if (entry === undefined) throw new QuorateError('QUORATE_NOT_FOUND', `there is no key ${key}`);
  const headers = { ETag: `"${entry.revision}"` };
  return isKnown(request, entry.revision) ? { status: 304, headers } : { headers, bytes: entry.value };
}

/** RFC 9110, section 13.1.2: whether the caller has this revision already. */
function isKnown({ headers }: OfKey, revision: number): boolean {
  const known = headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes('*') || known.includes(`"${revision}"`);
}

async function listKeys(request: Request<unknown>): Promise<RouteAnswer> {
  const { query } = request;
  request.allowQuery('prefix', 'limit', 'after', 'values', 'watch', 'consistency', 'timeout');
  if (query.get('watch') !== null) throw notInThisVersion('watching');
  const limit = limitOf(query.get('limit'));
  const withValues = isWithValues(query.get('values'));
  const prefix = query.get('prefix') ?? '';
  const after = query.get('after');
  const page = await request.read((store) => store.list({ prefix, limit, ...(after === null ? {} : { after }) }));
  const items = page.items.map(({ key, revision, value }) => ({
    key,
    revision,
    ...(withValues ? { value: Buffer.from(value).toString('base64') } : {}),
  }));
  return { json: { revision: page.revision, items, next: page.next } };
}

/** Who looks for keys only need not carry their values. */
function isWithValues(text: string | null): boolean {
  if (text === null || text === 'true') return true;
  if (text === 'false') return false;
  throw badRequest(`expected ?values= to be true or false, got "${text}"`);
}

/** A limit over the most that a page may have gives such a page, and `next` for the rest. */
function limitOf(text: string | null): number {
  if (text === null) return DEFAULT_ITEMS;
  const limit = parseWholeNumber(text, { least: 1, most: Number.MAX_SAFE_INTEGER });
  if (limit !== undefined) return Math.min(limit, MOST_ITEMS);
  throw badRequest(
    `expected ?limit= to be a whole number from 1 up (no more than ${MOST_ITEMS} come at once), got "${text}"`,
  );
}

async function propose(request: OfKey, command: KeyValueCommand) {
  const result = await request.propose(command);
  if (result.kind !== 'conflict') return result;
  throw conflict(command.key, result.revision);
}

function checkedKey({ params: { key } }: OfKey): string {
  const bytes = new TextEncoder().encode(key).byteLength;
  if (bytes >= 1 && bytes <= MOST_KEY_BYTES) return key;
  throw badRequest(`expected a key of 1 to ${MOST_KEY_BYTES} bytes of UTF-8, got ${bytes} bytes`);
}

function conditionOf({ headers }: OfKey): { condition?: Condition } {
  const match = headers['if-match'];
  const noneMatch = headers['if-none-match'];
  if (headers['idempotency-key'] !== undefined) throw notInThisVersion('Idempotency-Key');
  if (match !== undefined && noneMatch !== undefined)
    throw badRequest('expected If-Match or If-None-Match, got both: leave one');
  if (noneMatch !== undefined) {
    if (noneMatch === '*') return { condition: 'absent' };
    throw badRequest(`expected If-None-Match to be *, got ${noneMatch}`);
  }
  if (match === undefined) return {};
  const revision = /^"(\d{1,15})"$/.exec(match)?.[1];
  if (revision === undefined)
    throw badRequest(`expected If-Match to be a revision in double quotes, as in "7", got ${match}`);
  return { condition: Number(revision) };
}

/** The operations that clients and HTTP may ask of a KeyValueStore. `mostValueBytes`: how large a value may be that they write. */
export function createKeyValueService(mostValueBytes = MOST_VALUE_BYTES) {
  return defineService({
    name: DEFAULT_SERVICE,
    command: keyValueCommandCodec,
    result: keyValueResultCodec,
    queries: {
      get: { input: keyCodec, answer: entryCodec, run: (store: KeyValueReader, key: string) => store.get(key) },
      list: {
        input: listQueryCodec,
        answer: pageCodec,
        run: (store: KeyValueReader, query: ListQuery) => store.list(query),
      },
    },
    routes: keyValueRoutes,
    mostBodyBytes: mostValueBytes,
    checkCommand: (bytes) => {
      const valueBytes = checkKeyValueCommand(bytes);
      if (valueBytes <= mostValueBytes) return;
      const message = `expected a value of at most ${mostValueBytes} bytes, got ${valueBytes}: split it`;
      throw new QuorateError('QUORATE_TOO_LARGE', message);
    },
  });
}

export const keyValueService = createKeyValueService();

export type KeyValueService = typeof keyValueService;
