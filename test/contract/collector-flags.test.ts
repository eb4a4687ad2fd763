import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { COLLECTOR_FLAGS } from '../../src/cli/collector-flags.js';

test('V8 knows the flags of its collector that a node sets: it would only print a line about one that it does not know', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(COLLECTOR_FLAGS.length).toBeGreaterThan(0);
  for (const flag of COLLECTOR_FLAGS) expect(known).toMatch(new RegExp(`^ +${flag.replace('--no-', '--')} `, 'm'));
});
