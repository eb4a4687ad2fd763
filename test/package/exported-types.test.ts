import { expect, test } from '@jest/globals';
import { unexportedTypes } from '../../tools/unexported-types.mjs';

test('every type of ours that an exported signature names can be imported by users, too', () => {
  expect(unexportedTypes()).toEqual([]);
});
