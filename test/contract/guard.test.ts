import { describe, expect, test } from '@jest/globals';
import { checkAct, checkCaller } from '../../src/http/callers.js';

const node = {
  address: 'n1.internal:7401',
  state: { peers: { n2: { address: 'n2.internal:7402' } } },
  allowHosts: ['quorate.service'],
};

const check = (headers: Record<string, string>, url = '/v1/status'): void =>
  checkCaller({ headers, url, rawHeaders: Object.entries(headers).flat() } as never, node as never);

describe('the names in Host that a node goes by', () => {
  test.each([
    'n1.internal:7401',
    'N1.internal',
    'n2.internal:7402',
    'n2.internal',
    '10.0.0.1:80',
    '[::1]:7401',
    'quorate.service',
    'Quorate.Service:80',
  ])('%s is one', (host) => {
    expect(() => check({ host })).not.toThrow();
  });

  test.each(['n1.internal.evil.example', 'evil.n1.internal', 'n1', 'internal', 'n3.internal', '10.0.0.1.example'])(
    '"%s" is none, and the refusal says how to allow it',
    (host) => {
      expect(() => check({ host: `${host}:80` })).toThrow(
        `expected a Host that names this node, got "${host}:80": use localhost, an IP address or an address from --peers, or start the node with --allow-host ${host} (allowHosts in code)`,
      );
    },
  );

  test('whoever sends no Host is no browser', () => {
    expect(() => check({})).not.toThrow();
    expect(() => check({ host: '' })).not.toThrow();
    expect(() => check({ origin: 'http://evil.example' })).toThrow('may not use this node');
  });

  test('RFC 9112 §3.2.2: the host of an absolute target counts, and the Host header does not', () => {
    expect(() => check({ host: 'evil.example' }, 'http://n1.internal:7401/v1/status')).not.toThrow();
    expect(() => check({ host: 'n1.internal' }, 'http://evil.example/v1/status')).toThrow('evil.example');
    expect(() => check({ host: 'n1.internal' }, 'http://n1.internal@evil.example/')).toThrow('evil.example');
  });

  test('a page has the origin of the node itself, over HTTP or behind a proxy that speaks TLS', () => {
    for (const scheme of ['http', 'https']) {
      expect(() => check({ host: 'quorate.service', origin: `${scheme}://quorate.service` })).not.toThrow();
      expect(() => check({ host: 'quorate.service', origin: `${scheme}://quorate.service:81` })).toThrow('may not use');
    }
  });
});

describe('pages of the cluster', () => {
  test.each(['http://n2.internal:7402', 'https://n2.internal:7402', 'http://N1.internal:7401'])(
    '%s is the origin of a member, and may ask',
    (origin) => {
      expect(() => check({ host: 'n1.internal:7401', origin })).not.toThrow();
    },
  );

  test.each([
    'http://n2.internal',
    'http://n2.internal:7403',
    'http://n2.internal:7402/',
    'http://evil@n2.internal:7402',
  ])('%s is none', (origin) => {
    expect(() => check({ host: 'n1.internal:7401', origin })).toThrow('may not use this node');
  });

  test('on one machine a member goes by all names of loopback, but by its own port only', () => {
    const local = { ...node, address: '127.0.0.1:7401', state: { peers: { n2: { address: 'localhost:7402' } } } };
    const checkLocal = (origin: string): void =>
      checkCaller({ headers: { origin, host: '127.0.0.1:7401' }, url: '/', rawHeaders: [] } as never, local as never);
    for (const name of ['localhost', '127.0.0.1', '[::1]'])
      expect(() => checkLocal(`http://${name}:7402`)).not.toThrow();
    expect(() => checkLocal('http://localhost:7403')).toThrow('may not use this node');
    expect(() => checkLocal('http://localhost.evil.example:7402')).toThrow('may not use this node');
  });

  const act = (headers: Record<string, string>, { method = 'PUT', remoteAddress = '127.0.0.1' } = {}): void =>
    checkAct({ method, headers, socket: { remoteAddress } } as never);

  test('change something only from this machine, and only by saying so in a header', () => {
    const origin = 'http://127.0.0.1:7401';
    expect(() => act({ origin })).toThrow('X-Quorate-Page: 1');
    expect(() => act({ origin, 'x-quorate-page': '1' })).not.toThrow();
    expect(() => act({ origin, 'x-quorate-page': '1' }, { remoteAddress: '::ffff:127.0.0.1' })).not.toThrow();
    expect(() => act({ origin, 'x-quorate-page': '1' }, { remoteAddress: '10.0.0.7' })).toThrow('only on the machine');
    expect(() => act({ origin }, { method: 'GET', remoteAddress: '10.0.0.7' })).not.toThrow();
    expect(() => act({}, { remoteAddress: '10.0.0.7' })).not.toThrow();
  });

  test.each(['X-Forwarded-For', 'Forwarded', 'X-Real-IP'])(
    'through a proxy on this machine, which says %s, they may come from anywhere',
    (header) => {
      const forwarded = { 'x-quorate-page': '1', [header.toLowerCase()]: 'for=203.0.113.9' };
      const origin = 'https://quorate.example';
      expect(() => act({ ...forwarded, origin })).toThrow(`comes through a proxy (${header}): use the command line`);
      expect(() => act({ ...forwarded, origin }, { method: 'GET' })).not.toThrow();
      expect(() => act(forwarded)).not.toThrow();
    },
  );
});
