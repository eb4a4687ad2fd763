import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { RealNodes, STEADY } from '../node/real-nodes.js';
import { ask, refusal } from './ask.js';

let nodes: RealNodes;
let leader: string;
let follower: string;

beforeAll(async () => {
  nodes = await RealNodes.start('abc', STEADY);
  leader = (await nodes.leader()).address;
  follower = (await nodes.followers())[0]?.address as string;
});
afterAll(() => nodes.close());

describe('the pages', () => {
  test.each(['/', '/inspector'])('%s brings nothing from elsewhere, and connects to members only', async (path) => {
    const { status, headers, bytes } = await ask(follower, 'GET', path);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    const connections = /connect-src ([^;]*)/.exec(policy)?.[1]?.split(' ') ?? [];
    expect(connections[0]).toBe("'self'");
    const members = (await nodes.leader())
      .status()
      .members.flatMap(({ address }) => [`http://${address}`, `ws://${address}`]);
    expect(connections.slice(1).sort()).toEqual([...members].sort());
    expect(bytes.toString()).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test('name their scripts and style sheets by what is in them, so that these are kept for ever', async () => {
    const page = (await ask(leader, 'GET', '/')).bytes.toString();
    const names = [...page.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, name]) => name as string);
    expect(names).toHaveLength(2);
    for (const name of names) {
      const plain = await ask(leader, 'GET', `/${name}`);
      expect(plain.headers).toMatchObject({
        'cache-control': 'public, max-age=31536000, immutable',
        'content-type': expect.stringMatching(/^text\/(javascript|css)/),
        'x-content-type-options': 'nosniff',
      });
      const zipped = await ask(leader, 'GET', `/${name}`, { headers: { 'Accept-Encoding': 'gzip' } });
      expect(zipped.headers['content-encoding']).toBe('gzip');
      expect(gunzipSync(zipped.bytes)).toEqual(plain.bytes);
    }
  });

  test.each([
    '/assets/',
    '/assets/nothing.js',
    '/assets/..%2Fpages.json',
    '/assets/../pages.json',
    '/assets/pages.json',
  ])('%s is none of their files', async (path) => {
    expect(refusal(await ask(leader, 'GET', path))).toEqual([404, 'NOT_FOUND']);
  });

  test('HEAD has the headers alone', async () => {
    const { status, headers, bytes } = await ask(leader, 'HEAD', '/');
    expect([status, bytes.length]).toEqual([200, 0]);
    expect(Number(headers['content-length'])).toBeGreaterThan(0);
  });
});

describe("a member's page", () => {
  test('reads what another member answers, and its refusals', async () => {
    const headers = { Origin: `http://${follower}` };
    for (const path of ['/v1/status', '/v1/kv/not-there']) {
      const answer = await ask(leader, 'GET', path, { headers });
      expect(answer.headers).toMatchObject({ 'access-control-allow-origin': headers.Origin, vary: 'Origin' });
    }
  });

  test('asks before it changes something, and then may, with the header that says so', async () => {
    const origin = { Origin: `http://${follower}` };
    const asked = await ask(leader, 'OPTIONS', '/v1/kv/act', {
      headers: {
        ...origin,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'x-quorate-page',
      },
    });
    expect([asked.status, asked.headers['access-control-allow-headers']]).toEqual([
      204,
      expect.stringMatching('X-Quorate-Page'),
    ]);
    expect(refusal(await ask(leader, 'PUT', '/v1/kv/act', { body: 'v', headers: origin }))).toEqual([403, 'FORBIDDEN']);
    expect((await ask(leader, 'GET', '/v1/kv/act')).status).toBe(404);
    const headers = { ...origin, 'X-Quorate-Page': '1' };
    expect((await ask(leader, 'PUT', '/v1/kv/act', { body: 'v', headers })).status).toBe(200);
  });

  test('and a foreign one is told nothing at all', async () => {
    const headers = { Origin: 'http://127.0.0.1:1', 'Access-Control-Request-Method': 'PUT' };
    for (const method of ['OPTIONS', 'GET']) {
      const answer = await ask(leader, method, '/v1/kv/act', { headers });
      expect(answer.status).toBe(403);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
  });
});
