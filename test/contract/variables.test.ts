import { expect, test } from '@jest/globals';
import { fromEnvironment } from '../../src/node/serve-form.js';
import { quorate } from './run-command.js';

const OURS = 'names that begin with QUORATE_ are reserved for those that the reference lists. Correct or unset it';

test.each([
  ['list', 'QUORATE_FOO', '1', `QUORATE_FOO is set in the environment, and there is no such option: ${OURS}`],
  [
    'list',
    'QUORATE_CONSISTENCY',
    'stale',
    `QUORATE_CONSISTENCY is set in the environment, and there is no such option: ${OURS}`,
  ],
  ['list', 'QUORATE_TIMEOUT', '5s', 'expected QUORATE_TIMEOUT to be a whole number from 1 to 60000, got "5s"'],
  ['list', 'QUORATE_ENDPOINTS', 'there', 'got "there" in QUORATE_ENDPOINTS (several are separated by commas)'],
  ['inspector', 'QUORATE_INSPECTOR_PORT', 'x', 'expected QUORATE_INSPECTOR_PORT to be a whole number'],
  ['cluster', 'QUORATE_NODES', 'x', 'expected QUORATE_NODES to be a whole number'],
  ['cluster', 'QUORATE_PORT', 'x', 'expected QUORATE_PORT to be a whole number'],
])('%s with %s=%s names the variable, and guesses at none that is far', async (command, name, value, why) => {
  const run = await quorate([command], { env: { [name]: value } });
  expect(run).toMatchObject({ code: 2, err: expect.stringContaining(why) });
});

test('what Kubernetes sets beside a service named quorate counts as not set', () => {
  const variables = { QUORATE_PORT: 'tcp://10.0.0.1:7401', QUORATE_ID: 'tcp://n1', QUORATE_DATA: '' };
  expect(Object.keys(variables).map((name) => fromEnvironment(name, variables))).toEqual([
    undefined,
    'tcp://n1',
    undefined,
  ]);
});

test('a flag that cannot be is named as the flag, whatever the variable says', async () => {
  const run = await quorate(['list', '--timeout', '6s'], { env: { QUORATE_TIMEOUT: '5s' } });
  expect(run).toMatchObject({ code: 2, err: expect.stringContaining('expected --timeout to be') });
});
