import { describe, expect, test } from '@jest/globals';
import { checkCaller } from '../../src/server/guard.js';

const node = { address: 'n1.internal:7401', state: { peers: { n2: { address: 'n2.internal:7402' } } } };

describe('the names in Host that a node goes by', () => {
  test.each(['n1.internal:7401', 'N1.internal', 'n2.internal:7402', 'n2.internal', '10.0.0.1:80', '[::1]:7401'])(
    '%s is one',
    (host) => {
      expect(() => checkCaller({ headers: { host } } as never, node as never)).not.toThrow();
    },
  );

  test.each(['n1.internal.evil.example', 'evil.n1.internal', 'n1', 'internal', '', 'n3.internal', '10.0.0.1.example'])(
    '"%s" is none',
    (host) => {
      expect(() => checkCaller({ headers: { host } } as never, node as never)).toThrow('none of this node');
    },
  );
});
