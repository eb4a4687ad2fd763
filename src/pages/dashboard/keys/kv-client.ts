import { bytesOfBase64 } from './bytes.js';

export interface KeyEntry {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array;
}

export interface KeyPage {
  readonly revision: number;
  readonly items: readonly KeyEntry[];
  /** The key after which the next page begins; null where there is none. */
  readonly next: string | null;
}

/** How a request failed. */
export interface Failure {
  /** `conflict`: another write came first. `unknown`: nobody can say whether it took effect. `absent`: there is no such key, or no store. */
  readonly kind: 'conflict' | 'unknown' | 'refused' | 'absent' | 'unavailable';
  readonly message: string;
  /** The key's revision after a conflict; null where it is gone. */
  readonly revision: number | null;
}

export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure };

/** When a write takes effect: always, while the key is at a revision, or while it is not there. */
export type WriteCondition = 'always' | 'absent' | { readonly revision: number };

/** The parts of fetch that are used here. */
export type Fetch = (url: string, request: PageRequest) => Promise<Response>;

export interface PageRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

/** `linearizable` reads what a majority confirms; `stale` what the asked node holds, which may be old. */
export type Consistency = 'linearizable' | 'stale';

const READ_TIMEOUT_MS = 3_000;
/** A node answers within its timeout, which is 5 s for a change. One that is stopped keeps its connections and never answers. */
const NO_ANSWER_TO_READ_MS = READ_TIMEOUT_MS + 2_000;
const NO_ANSWER_TO_CHANGE_MS = 15_000;

/** The key-value routes of the cluster's nodes. `bases` are the addresses of those that answer, the preferred one first. */
export class KvClient {
  readonly #bases: () => readonly string[];
  readonly #fetch: Fetch;

  constructor(bases: () => readonly string[], fetch: Fetch) {
    this.#bases = bases;
    this.#fetch = fetch;
  }

  async list(prefix: string, after: string | null, limit: number, consistency: Consistency): Promise<Answer<KeyPage>> {
    const query = new URLSearchParams({ prefix, limit: String(limit), consistency, timeout: String(READ_TIMEOUT_MS) });
    if (after !== null) query.set('after', after);
    const answer = await this.#read(`v1/kv?${query}`);
    if (!answer.ok) return answer;
    const page = (await answer.value.json()) as { revision: number; next: string | null; items: readonly ItemJson[] };
    const items = page.items.map(({ key, revision, value }) => ({ key, revision, value: bytesOfBase64(value) }));
    return { ok: true, value: { revision: page.revision, next: page.next, items } };
  }

  /** The first key with this prefix that comes after another; null where there is none. Values, which may be large, do not travel. */
  async firstKey(prefix: string, after: string | null, consistency: Consistency): Promise<Answer<string | null>> {
    const one = { limit: '1', values: 'false', consistency, timeout: String(READ_TIMEOUT_MS) };
    const query = new URLSearchParams({ prefix, ...one, ...(after === null ? {} : { after }) });
    const answer = await this.#read(`v1/kv?${query}`);
    if (!answer.ok) return answer;
    const { items } = (await answer.value.json()) as { items: readonly { readonly key: string }[] };
    return { ok: true, value: items[0]?.key ?? null };
  }

  async get(key: string): Promise<Answer<KeyEntry>> {
    if (!isSendable(key)) return notSendable(key);
    const answer = await this.#read(`v1/kv/${encodeURIComponent(key)}?timeout=${READ_TIMEOUT_MS}`);
    if (!answer.ok) return answer;
    const revision = Number(answer.value.headers.get('etag')?.replaceAll('"', '') ?? 0);
    return { ok: true, value: { key, revision, value: new Uint8Array(await answer.value.arrayBuffer()) } };
  }

  /** The new revision. */
  async put(key: string, value: Uint8Array, condition: WriteCondition): Promise<Answer<number>> {
    const answer = await this.#change('PUT', key, condition, value);
    return answer.ok ? { ok: true, value: ((await answer.value.json()) as { revision: number }).revision } : answer;
  }

  async delete(key: string, condition: WriteCondition): Promise<Answer<boolean>> {
    const answer = await this.#change('DELETE', key, condition);
    return answer.ok ? { ok: true, value: ((await answer.value.json()) as { deleted: boolean }).deleted } : answer;
  }

  /** A read may be asked again elsewhere where a node does not answer at all. */
  async #read(path: string): Promise<Answer<Response>> {
    for (const base of this.#bases()) {
      const response = await this.#answerOf(base + path, {}, NO_ANSWER_TO_READ_MS);
      if (response !== null) return await answerOf(response);
    }
    return { ok: false, failure: { kind: 'unavailable', message: 'No node answers this page.', revision: null } };
  }

  /** Sent once only: where no answer comes, it may have taken effect. */
  async #change(
    method: 'PUT' | 'DELETE',
    key: string,
    condition: WriteCondition,
    body?: Uint8Array,
  ): Promise<Answer<Response>> {
    const [base] = this.#bases();
    if (!isSendable(key)) return notSendable(key);
    if (base === undefined) {
      return { ok: false, failure: { kind: 'unavailable', message: 'No node answers this page.', revision: null } };
    }
    const headers = { 'X-Quorate-Page': '1', ...conditionHeaders(condition) };
    const init = { method, headers, ...(body === undefined ? {} : { body }) };
    const url = `${base}v1/kv/${encodeURIComponent(key)}`;
    const response = await this.#answerOf(url, init, NO_ANSWER_TO_CHANGE_MS);
    if (response !== null) return await answerOf(response);
    const message = 'No answer came. The change may have taken effect, or may still.';
    return { ok: false, failure: { kind: 'unknown', message, revision: null } };
  }

  /** Null where none comes in time. */
  async #answerOf(url: string, request: PageRequest, withinMs: number): Promise<Response | null> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), withinMs);
    try {
      return await this.#fetch(url, { ...request, signal: abort.signal });
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Browsers take . and .. in an address for steps between folders, however they are written, and send no half characters. */
const isSendable = (key: string): boolean => !/^\.{1,2}$|\p{Surrogate}/u.test(key);

const notSendable = (key: string): { readonly ok: false; readonly failure: Failure } => {
  const message = `A browser cannot send the key “${key}” as part of an address. Use the command quorate, or another program.`;
  return { ok: false, failure: { kind: 'refused', message, revision: null } };
};

interface ItemJson {
  readonly key: string;
  readonly revision: number;
  readonly value: string;
}

function conditionHeaders(condition: WriteCondition): Record<string, string> {
  if (condition === 'always') return {};
  return condition === 'absent' ? { 'If-None-Match': '*' } : { 'If-Match': `"${condition.revision}"` };
}

const KINDS: Readonly<Record<number, Failure['kind']>> = {
  404: 'absent',
  412: 'conflict',
  503: 'unavailable',
  504: 'unknown',
};

async function answerOf(response: Response): Promise<Answer<Response>> {
  if (response.ok) return { ok: true, value: response };
  const body = (await response.json().catch(() => ({}))) as {
    readonly error?: { readonly message?: string; readonly revision?: number | null };
  };
  const message = body.error?.message ?? `${response.status} ${response.statusText}`;
  const kind = KINDS[response.status] ?? 'refused';
  return { ok: false, failure: { kind, message, revision: body.error?.revision ?? null } };
}
