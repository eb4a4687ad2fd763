import type { IncomingMessage, ServerResponse } from 'node:http';

interface Entry {
  readonly value: Buffer;
  readonly revision: number;
}

/** The key-value routes of a node, over a map. */
export class FakeKeys {
  readonly entries = new Map<string, Entry>();
  revision = 0;
  /** Lists of these prefixes are answered once the promise is fulfilled. */
  readonly delays = new Map<string, Promise<unknown>>();
  /** Takes the place of every answer where it is set, but of stale reads. */
  failure: { readonly status: number; readonly code: string; readonly message: string } | null = null;

  put(key: string, value: string | Buffer): number {
    this.revision += 1;
    this.entries.set(key, { value: Buffer.from(value as string), revision: this.revision });
    return this.revision;
  }

  async answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(message.url ?? '/', 'http://fake');
    const body = await read(message);
    const isStale = searchParams.get('consistency') === 'stale';
    if (this.failure !== null && !isStale) return json(response, this.failure.status, { error: this.failure });
    await this.delays.get(searchParams.get('prefix') ?? '');
    if (pathname === '/v1/kv') return this.#list(searchParams, response);
    const key = decodeURIComponent(pathname.slice('/v1/kv/'.length));
    if (message.method !== 'GET' && message.headers['x-quorate-page'] !== '1') {
      return json(response, 403, {
        error: { code: 'FORBIDDEN', message: 'a page says what it does by X-Quorate-Page: 1' },
      });
    }
    if (message.method === 'GET') return this.#get(key, response);
    const refused = conflictOf(message, this.entries.get(key));
    if (refused) {
      const revision = this.entries.get(key)?.revision ?? null;
      return json(response, 412, {
        error: { code: 'CONFLICT', message: `the key is at revision ${revision}`, revision },
      });
    }
    if (message.method === 'PUT') return json(response, 200, { revision: this.put(key, body) });
    this.revision += 1;
    json(response, 200, { revision: this.revision, deleted: this.entries.delete(key) });
  }

  #get(key: string, response: ServerResponse): void {
    const entry = this.entries.get(key);
    if (entry === undefined)
      return json(response, 404, { error: { code: 'NOT_FOUND', message: `there is no key ${key}` } });
    response.writeHead(200, { ETag: `"${entry.revision}"` }).end(entry.value);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get('prefix') ?? '';
    const after = Buffer.from(query.get('after') ?? '');
    const limit = Number(query.get('limit') ?? 1_000);
    const keys = [...this.entries.keys()]
      .filter((key) => key.startsWith(prefix) && (after.length === 0 || Buffer.compare(Buffer.from(key), after) > 0))
      .sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    const items = keys.slice(0, limit).map((key) => {
      const { revision, value } = this.entries.get(key) as Entry;
      return { key, revision, ...(query.get('values') === 'false' ? {} : { value: value.toString('base64') }) };
    });
    json(response, 200, {
      revision: this.revision,
      items,
      next: keys.length > limit ? (items.at(-1)?.key ?? null) : null,
    });
  }
}

function conflictOf({ headers }: IncomingMessage, entry: Entry | undefined): boolean {
  if (headers['if-none-match'] === '*') return entry !== undefined;
  const wanted = headers['if-match'];
  return wanted !== undefined && wanted !== `"${entry?.revision}"`;
}

async function read(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
