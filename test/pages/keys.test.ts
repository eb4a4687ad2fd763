import { afterEach, describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import {
  bytesOf,
  bytesOfBase64,
  bytesOfHex,
  hexOf,
  preview,
  sizeText,
  startOf,
  textOf,
} from '../../src/pages/dashboard/keys/bytes.js';
import { changedLines } from '../../src/pages/dashboard/keys/changed-lines.js';
import { bestFormat, encoded, shownAs } from '../../src/pages/dashboard/keys/draft.js';
import { compactJson, isCompact, prettyJson } from '../../src/pages/dashboard/keys/json-text.js';
import { keyInWords, keyText } from '../../src/pages/dashboard/keys/key-text.js';
import type { PageRequest } from '../../src/pages/dashboard/keys/kv-client.js';
import { KvClient } from '../../src/pages/dashboard/keys/kv-client.js';
import { prefixesAbove, prefixesUnder } from '../../src/pages/dashboard/keys/prefixes.js';

describe('values', () => {
  test('bytes are text where they are UTF-8 without control characters', () => {
    expect(textOf(bytesOf('grün\n'))).toBe('grün\n');
    expect(textOf(Uint8Array.of(0xff))).toBeNull();
    expect(textOf(Uint8Array.of(0))).toBeNull();
  });

  test('a preview is one line, of bytes the first eight, and no cut goes through a character', () => {
    expect(preview(bytesOf('a\n b'))).toBe('a b');
    expect(preview(Uint8Array.of(0, 0, 1, 0xa8, 0x7f, 0x3c, 0x90, 0x11, 5))).toBe('0x00 00 01 a8 7f 3c 90 11 …');
    expect(preview(bytesOf('ü'.repeat(61) + 'x'.repeat(10)))).toMatch(/^ü+$/);
    expect(preview(bytesOf(`x${'ü'.repeat(100)}`))).toMatch(/^xü+$/);
  });

  test('the start of a long text is text, wherever the cut goes; that of bytes is as long as was asked for', () => {
    const text = bytesOf('grün'.repeat(100));
    for (let most = 10; most < 30; most += 1) expect(textOf(startOf(text, most))).toMatch(/^(grün)+(g|gr|grü)?$/);
    expect(startOf(text, 10_000)).toBe(text);
    expect(startOf(new Uint8Array(50).fill(0xff), 20)).toHaveLength(20);
  });

  test('hexadecimal digits go there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesOfHex(hexOf(bytes))).toEqual(Uint8Array.from(bytes));
      }),
    );
    expect(bytesOfHex('0')).toBeNull();
    expect(bytesOfHex('zz')).toBeNull();
  });

  test('sizes', () => {
    const sizes = [206, 3_400, 99_960, 256_000, 999_499, 999_500, 1_234_567];
    expect(sizes.map(sizeText)).toEqual(['206 B', '3.4 kB', '100 kB', '256 kB', '999 kB', '1.0 MB', '1.2 MB']);
  });

  test('come from base64 as they were', () => {
    const all = Uint8Array.from({ length: 256 }, (_, at) => at);
    expect(bytesOfBase64(Buffer.from(all).toString('base64'))).toEqual(all);
  });
});

describe('JSON as people read it', () => {
  test('is the same JSON, whichever it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(prettyJson(text))).toEqual(JSON.parse(text));
        expect(JSON.parse(compactJson(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test('numbers keep their digits', () => {
    expect(compactJson(prettyJson('{"total":31.0,"id":12345678901234567890}'))).toBe(
      '{"total":31.0,"id":12345678901234567890}',
    );
  });

  test('small objects inside stay on one line', () => {
    expect(prettyJson('{"lines":[{"sku":"118","count":2},{"sku":"377","count":1}],"none":[]}')).toBe(
      '{\n  "lines": [\n    { "sku": "118", "count": 2 },\n    { "sku": "377", "count": 1 }\n  ],\n  "none": []\n}',
    );
  });

  test('is sent without white space where it had none, and as it is shown where it had some', () => {
    const compact = bytesOf('{"a":1}');
    expect(isCompact('{"a":1}')).toBe(true);
    expect(encoded('JSON', '{\n  "a": 2\n}', compact)).toEqual({ bytes: bytesOf('{"a":2}'), fault: null });
    expect(encoded('JSON', '{ "a": 2 }', bytesOf('{ "a": 1 }'))).toEqual({ bytes: bytesOf('{ "a": 2 }'), fault: null });
    expect(encoded('JSON', '{', compact).bytes).toBeNull();
  });

  test('ends of lines stay as they were; text whose lines end in different ways is shown as bytes', () => {
    const windows = bytesOf('a\r\nb\r\n');
    expect(shownAs('Text', windows)).toBe('a\nb\n');
    expect(encoded('Text', 'a\nc\n', windows)).toEqual({ bytes: bytesOf('a\r\nc\r\n'), fault: null });
    expect(encoded('Text', 'a\nc', bytesOf('a\nb'))).toEqual({ bytes: bytesOf('a\nc'), fault: null });
    for (const mixed of ['a\r\nb\n', 'a\rb']) {
      expect(shownAs('Text', bytesOf(mixed))).toBeNull();
      expect(bestFormat(bytesOf(mixed))).toBe('Hex');
    }
  });

  test('each value has a format that suits it', () => {
    expect(bestFormat(bytesOf('{"a":1}'))).toBe('JSON');
    expect(bestFormat(bytesOf('n2'))).toBe('Text');
    expect(bestFormat(Uint8Array.of(0, 1))).toBe('Hex');
    expect(shownAs('JSON', bytesOf('n2'))).toBeNull();
  });
});

describe('keys in words', () => {
  test('show each of their characters, on one line', () => {
    expect(keyText('orders/日本語')).toBe('orders/日本語');
    expect(keyText('  a b ')).toBe('␣␣a b␣');
    expect(keyText('a\nb\t\u0000')).toBe('a␊b␉␀');
    expect(keyText('\u202egnp.exe\u200b\u007f')).toBe('\\u202egnp.exe\\u200b␡');
  });

  test('have a start and an end where they are long', () => {
    expect(keyInWords('k'.repeat(80))).toBe('k'.repeat(80));
    expect(keyInWords(`${'a'.repeat(60)}${'b'.repeat(4_000)}`)).toBe(`${'a'.repeat(50)} … ${'b'.repeat(20)}`);
    expect(keyInWords('𝄞'.repeat(100))).toBe(`${'𝄞'.repeat(50)} … ${'𝄞'.repeat(20)}`);
  });
});

describe('lines that differ', () => {
  test.each([
    ['a\nb\nc', 'a\nx\nc', [1]],
    ['a\nb\nc\nd\ne', 'A\nb\nc\nd\nE', [0, 4]],
    ['a\nb', 'a\nnew\nb', [1]],
    ['a\nb\nc', 'a\nc', [1]],
    ['same', 'same', []],
  ])('from %j to %j', (before, now, lines) => {
    expect([...changedLines(before, now)]).toEqual(lines);
  });
});

describe('prefixes', () => {
  /** As the store answers: the first key with the prefix behind another key, by bytes. */
  const firstOf = (keys: readonly string[]) => async (prefix: string, after: string | null) => {
    const bytes = (text: string): Buffer => Buffer.from(text);
    const behind = keys.filter(
      (key) => key.startsWith(prefix) && (after === null || Buffer.compare(bytes(key), bytes(after)) > 0),
    );
    return behind.sort((one, other) => Buffer.compare(bytes(one), bytes(other)))[0] ?? null;
  };

  test('are what keys have up to the next slash, each once, found without reading all keys', async () => {
    const keys = ['a/1', 'a/2', 'a/𝄞', 'b', 'c/x/1', 'c/y'];
    let asked = 0;
    const first = firstOf(keys);
    const counting = (prefix: string, after: string | null) => {
      asked += 1;
      return first(prefix, after);
    };
    expect(await prefixesUnder('', counting)).toEqual(['a/', 'c/']);
    expect(asked).toBe(4);
    expect(await prefixesUnder('c/', firstOf(keys))).toEqual(['c/x/']);
  });

  test('above', () => {
    expect(prefixesAbove('orders/2026/')).toEqual(['', 'orders/']);
    expect(prefixesAbove('')).toEqual([]);
  });
});

describe('requests of the page', () => {
  const answering = (status: number, body: unknown, seen: [string, PageRequest][] = []) =>
    new KvClient(
      () => ['http://one/', 'http://two/'],
      async (url, init) => {
        seen.push([url, init]);
        return new Response(JSON.stringify(body), { status });
      },
    );

  test('a change says that a page sends it, and its condition', async () => {
    const seen: [string, PageRequest][] = [];
    const client = answering(200, { revision: 8 }, seen);
    expect(await client.put('a/b', bytesOf('v'), { revision: 7 })).toEqual({ ok: true, value: 8 });
    await client.put('a', bytesOf('v'), 'absent');
    await client.put('a', bytesOf('v'), 'always');
    expect(seen.map(([url]) => url)).toEqual(['http://one/v1/kv/a%2Fb', 'http://one/v1/kv/a', 'http://one/v1/kv/a']);
    expect(seen.map(([, { headers }]) => headers)).toEqual([
      { 'X-Quorate-Page': '1', 'If-Match': '"7"' },
      { 'X-Quorate-Page': '1', 'If-None-Match': '*' },
      { 'X-Quorate-Page': '1' },
    ]);
  });

  test.each([
    [412, { error: { message: 'at 9', revision: 9 } }, 'conflict', 9],
    [504, { error: { message: 'lost' } }, 'unknown', null],
    [503, { error: { message: 'nobody leads' } }, 'unavailable', null],
    [403, { error: { message: 'not from here' } }, 'refused', null],
    [404, { error: { message: 'nothing at /v1/kv' } }, 'absent', null],
  ] as const)('%d', async (status, body, kind, revision) => {
    const answer = await answering(status, body).put('k', bytesOf('v'), 'always');
    expect(answer).toEqual({ ok: false, failure: { kind, message: body.error.message, revision } });
  });

  test('a read goes to the next node where one does not answer; a change is sent once, and is unknown then', async () => {
    const seen: string[] = [];
    const client = new KvClient(
      () => ['http://one/', 'http://two/'],
      async (url) => {
        seen.push(url);
        if (url.startsWith('http://one/')) throw new TypeError('failed');
        return new Response(JSON.stringify({ revision: 1, items: [], next: null }));
      },
    );
    expect((await client.list('', null, 1, 'linearizable')).ok).toBe(true);
    expect(seen).toHaveLength(2);
    const answer = await client.delete('k', 'always');
    expect(answer).toMatchObject({ ok: false, failure: { kind: 'unknown' } });
    expect(seen).toHaveLength(3);
  });

  describe('to a node that is stopped, and never answers', () => {
    /** As fetch does: it ends only by its signal. */
    const stopped = (_url: string, { signal }: PageRequest): Promise<Response> =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new DOMException('aborted'))));

    afterEach(() => void jest.useRealTimers());

    test('a read goes on to the next node', async () => {
      jest.useFakeTimers();
      const page = () => Promise.resolve(new Response(JSON.stringify({ revision: 1, items: [], next: null })));
      const client = new KvClient(
        () => ['http://one/', 'http://two/'],
        (url, request) => (url.startsWith('http://one/') ? stopped(url, request) : page()),
      );
      const answer = client.list('', null, 1, 'linearizable');
      await jest.advanceTimersByTimeAsync(5_000);
      expect(await answer).toMatchObject({ ok: true });
    });

    test('a change is unknown after a time', async () => {
      jest.useFakeTimers();
      const answer = new KvClient(() => ['http://one/'], stopped).put('k', bytesOf('v'), 'always');
      await jest.advanceTimersByTimeAsync(15_000);
      expect(await answer).toMatchObject({ ok: false, failure: { kind: 'unknown' } });
    });
  });

  test.each(['.', '..', '\ud800'])(
    'the key %j, which no browser can send, is refused before it is sent',
    async (key) => {
      const seen: [string, PageRequest][] = [];
      const client = answering(200, { revision: 1, deleted: true }, seen);
      const answers = [
        await client.get(key),
        await client.put(key, bytesOf('v'), 'always'),
        await client.delete(key, 'always'),
      ];
      for (const answer of answers) expect(answer).toMatchObject({ ok: false, failure: { kind: 'refused' } });
      expect(seen).toEqual([]);
      expect(await client.put('...', bytesOf('v'), 'always')).toMatchObject({ ok: true });
    },
  );
});
