import { describe, expect, test } from '@jest/globals';
import { checkCaller } from '../../src/http/request-target.js';

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
