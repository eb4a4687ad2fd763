import { expect, test } from '@jest/globals';
import type { DataDirectory } from '../../src/log/data-directory.js';
import { openDataDirectory } from '../../src/log/data-directory.js';
import { nodeChecksum } from '../../src/log/node-disk.js';
import type { DiskFile } from '../../src/seams/index.js';
import type { VirtualDisk } from '../../src/testing/virtual-disk.js';
import { outcome } from './log-on-disk.js';
import { quickDisk } from './slow-disk.js';

const members = { n1: 'one.example:1', n2: 'two.example:2' };
const FILE = 'addresses.json';

function open(disk: VirtualDisk): DataDirectory {
  const mine = { clusterId: 'c1', cluster: 'one', members, nodeId: 'n1', makeIncarnation: () => 'first' };
  const { error, value } = outcome<DataDirectory>((done) =>
    openDataDirectory({ disk, checksum: nodeChecksum, ...mine }, done),
  );
  if (value === undefined) throw error;
  return value;
}

/** A directory with this text in its file of addresses. */
function holding(text: string): VirtualDisk {
  const disk = quickDisk();
  open(disk).unlock(() => undefined);
  const file = outcome<DiskFile>((done) => disk.open(FILE, 'create', done)).value as DiskFile;
  file.write(new TextEncoder().encode(text), 0, () => file.close(() => undefined));
  return disk;
}

/** How many changes of files `run` asks for. */
function changes(disk: VirtualDisk, run: () => void): number {
  let count = 0;
  disk.failure = ({ operation }) => {
    count += Number(operation === 'rename');
    return undefined;
  };
  run();
  return count;
}

test('where peers were reached last is known after a power cut, and written only when it changed', () => {
  const disk = quickDisk();
  const { knownAddresses } = open(disk);
  expect(knownAddresses.addressOf('two.example')).toBeUndefined();
  const written = changes(disk, () => {
    knownAddresses.remember('two.example', '10.0.0.1');
    knownAddresses.remember('two.example', '10.0.0.1');
    knownAddresses.remember('three.example', 'fe80::1%eth0');
    knownAddresses.remember('two.example', '10.0.0.2');
  });
  expect(written).toBe(3);
  disk.crash();
  const again = open(disk).knownAddresses;
  expect(again.addressOf('two.example')).toBe('10.0.0.2');
  expect(again.addressOf('three.example')).toBe('fe80::1%eth0');
  expect(changes(disk, () => again.remember('two.example', '10.0.0.2'))).toBe(0);
});

test.each(['open', 'write', 'sync', 'rename', 'syncDirectory'] as const)(
  'after a failed %s it is written the next time, and the node goes on',
  (operation) => {
    const disk = quickDisk();
    const { knownAddresses } = open(disk);
    disk.failNext(operation, 'EIO');
    knownAddresses.remember('two.example', '10.0.0.1');
    expect(knownAddresses.addressOf('two.example')).toBe('10.0.0.1');
    knownAddresses.remember('two.example', '10.0.0.1');
    disk.crash();
    expect(open(disk).knownAddresses.addressOf('two.example')).toBe('10.0.0.1');
  },
);

const content = (fields: object): string =>
  JSON.stringify({ version: 1, incarnation: 'first', addresses: { 'two.example': '10.0.0.1' }, ...fields });

test('a file that cannot be used holds nothing, and is replaced', () => {
  expect(open(holding(content({}))).knownAddresses.addressOf('two.example')).toBe('10.0.0.1');
  const useless = {
    empty: '',
    'cut short': content({}).slice(0, -9),
    'no object': 'null',
    'of another version': content({ version: 2 }),
    'of another directory': content({ incarnation: 'another' }),
    'without addresses': content({ addresses: null }),
    'with names in place of addresses': content({ addresses: { 'two.example': 'three.example' } }),
  };
  for (const [what, text] of Object.entries(useless)) {
    const disk = holding(text);
    const { knownAddresses } = open(disk);
    expect([what, knownAddresses.addressOf('two.example')]).toEqual([what, undefined]);
    knownAddresses.remember('two.example', '10.0.0.3');
    disk.crash();
    expect([what, open(disk).knownAddresses.addressOf('two.example')]).toEqual([what, '10.0.0.3']);
  }
});

test('a file that cannot be read keeps no node from starting', () => {
  const disk = holding(content({}));
  disk.failure = ({ name }) => (name === FILE ? 'EIO' : undefined);
  expect(open(disk).knownAddresses.addressOf('two.example')).toBeUndefined();
});

test('names do not gather for ever, and none is inherited', () => {
  const { knownAddresses } = open(quickDisk());
  expect(knownAddresses.addressOf('constructor')).toBeUndefined();
  for (let at = 0; at < 100; at += 1) knownAddresses.remember(`n${at}.example`, '10.0.0.1');
  expect(knownAddresses.addressOf('n35.example')).toBeUndefined();
  expect(knownAddresses.addressOf('n36.example')).toBe('10.0.0.1');
});
