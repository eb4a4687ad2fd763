import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { readBody } from '../http/body.js';
import { FOR_NOW_ONLY, notInThisVersion, sendJson } from '../http/replies.js';
import type { HttpRequest } from '../http/request.js';
import { allowQuery, limitsOf, numberInQuery } from '../http/request.js';
import type { Condition, KeyValueCommand, KeyValueResult } from './codec.js';
import { MOST_KEY_BYTES } from './codec.js';
import { MOST_ITEMS } from './queries.js';
import type { KeyValueStore } from './store.js';

const DEFAULT_ITEMS = 1_000;

export async function putKey(request: HttpRequest, encodedKey: string): Promise<void> {
  allowQuery(request, ['timeout']);
  const key = decodeKey(encodedKey);
  const condition = conditionOf(request);
  const limits = limitsOf(request);
  const value = await readBody(request);
  const result = await propose(request, { kind: 'put', key, value, ...condition }, limits);
  sendJson(request.response, 200, { revision: result.revision });
}

export async function deleteKey(request: HttpRequest, encodedKey: string): Promise<void> {
  allowQuery(request, ['timeout']);
  const key = decodeKey(encodedKey);
  const result = await propose(request, { kind: 'delete', key, ...conditionOf(request) }, limitsOf(request));
  const deleted = result.kind === 'deleted' && result.deleted;
  sendJson(request.response, 200, deleted ? { revision: result.revision, deleted } : { deleted: false });
}

export async function getKey(request: HttpRequest, encodedKey: string): Promise<void> {
  allowQuery(request, ['consistency', 'timeout']);
  const key = decodeKey(encodedKey);
  const entry = await read(request, (store) => store.get(key));
  if (entry === undefined) throw new QuorateError('QUORATE_NOT_FOUND', `there is no key ${key}`);
  if (isKnown(request, entry.revision)) {
    request.response.writeHead(304, { ...FOR_NOW_ONLY, ETag: `"${entry.revision}"` });
    request.response.end();
    return;
  }
  request.response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': entry.value.byteLength,
    ...FOR_NOW_ONLY,
    ETag: `"${entry.revision}"`,
  });
  request.response.end(request.method === 'HEAD' ? undefined : entry.value);
}

/** RFC 9110, section 13.1.2: whether the caller has this revision already. */
function isKnown({ message }: HttpRequest, revision: number): boolean {
  const known = message.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return known.includes('*') || known.includes(`"${revision}"`);
}

export async function listKeys(request: HttpRequest): Promise<void> {
  const { query } = request;
  allowQuery(request, ['prefix', 'limit', 'after', 'watch', 'consistency', 'timeout']);
  if (query.get('watch') !== null) throw notInThisVersion('watching');
  // Whoever asks for more gets a page of the most that there is, and `next` for the rest.
  const limit = Math.min(numberInQuery(query, 'limit', DEFAULT_ITEMS, Number.MAX_SAFE_INTEGER), MOST_ITEMS);
  const prefix = query.get('prefix') ?? '';
  const after = query.get('after');
  const page = await read(request, (store) => store.list({ prefix, limit, ...(after === null ? {} : { after }) }));
  const items = page.items.map(({ key, revision, value }) => ({
    key,
    revision,
    value: Buffer.from(value).toString('base64'),
  }));
  sendJson(request.response, 200, { revision: page.revision, items, next: page.next });
}

async function propose(request: HttpRequest, command: KeyValueCommand, limits: ReturnType<typeof limitsOf>) {
  const result = (await request.node.propose(command as never, limits)) as KeyValueResult;
  if (result.kind !== 'conflict') return result;
  const { revision } = result;
  const now = revision === null ? 'does not exist' : `has revision ${revision}`;
  throw new QuorateError('QUORATE_CONFLICT', `the condition failed: ${command.key} ${now}`, { details: { revision } });
}

async function read<Value>(request: HttpRequest, query: (store: KeyValueStore) => Value): Promise<Value> {
  const consistency = consistencyOf(request.query.get('consistency'));
  await request.node.read(() => undefined, { ...limitsOf(request), consistency });
  // What the store says later is as new, and no answer is made before it can be sent.
  await request.exchange.room();
  return query(request.node.stateMachine as KeyValueStore);
}

function consistencyOf(text: string | null): 'linearizable' | 'stale' {
  if (text === null || text === 'linearizable') return 'linearizable';
  if (text === 'stale') return 'stale';
  if (text === 'lease') throw notInThisVersion('reading by lease');
  throw badRequest(`expected ?consistency= to be "linearizable" or "stale", got "${text}"`);
}

function decodeKey(encoded: string): string {
  let key: string;
  try {
    key = decodeURIComponent(encoded);
  } catch {
    throw badRequest('the key in the path is not percent-encoded UTF-8');
  }
  const bytes = Buffer.byteLength(key);
  if (bytes >= 1 && bytes <= MOST_KEY_BYTES) return key;
  throw badRequest(`a key has 1 to ${MOST_KEY_BYTES} bytes of UTF-8, this one has ${bytes}`);
}

function conditionOf({ message }: HttpRequest): { condition?: Condition } {
  const match = message.headers['if-match'];
  const noneMatch = message.headers['if-none-match'];
  if (message.headers['idempotency-key'] !== undefined) throw notInThisVersion('Idempotency-Key');
  if (match !== undefined && noneMatch !== undefined) throw badRequest('If-Match or If-None-Match, not both');
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
