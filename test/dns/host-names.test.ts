import { describe, expect, test } from '@jest/globals';
import type { Address, LookupError } from '../../src/dns/host-names.js';
import { HostNames } from '../../src/dns/host-names.js';
import { systemLookup } from '../../src/dns/system-lookup.js';
import { VirtualClock } from '../../src/testing/index.js';

const v4 = (address: string): Address => ({ address, family: 4 });

class World {
  readonly clock = new VirtualClock();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly names: HostNames;
  takesMs = 10;
  answer: readonly Address[] | LookupError = [v4('10.0.0.1')];

  constructor(kept: Readonly<Record<string, string>> = {}) {
    const known = {
      addressOf: (name: string) => kept[name],
      remember: (...noted: string[]) => void this.told.push(noted.join(' at ')),
    };
    this.names = new HostNames({
      clock: this.clock,
      known,
      lookup: (name, done) => {
        this.asked.push(name);
        const { answer } = this;
        this.clock.setTimeout(() => {
          if (answer instanceof Error) done(answer, []);
          else done(null, answer);
        }, this.takesMs);
      },
    });
  }

  resolve(name = 'n3.example'): () => void {
    const at = (): string => `${this.clock.now()} `;
    return this.names.resolve(name, {
      found: (addresses, isOld) => {
        this.told.push(`${at()}${addresses.map(({ address }) => address)}${isOld ? ' (old)' : ''}`);
      },
      failed: (reason) => void this.told.push(at() + reason),
      delayed: (reason) => void this.told.push(at() + reason),
    });
  }
}

const notFound = (): LookupError => Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });

describe('names', () => {
  test('P46 everybody who asks for a name shares the one lookup that is under way, and no other name waits for it', () => {
    const world = new World();
    world.takesMs = 10_000;
    for (let at = 0; at < 5; at += 1) world.resolve();
    world.clock.runFor(500);
    world.takesMs = 1;
    world.resolve('n2.example');
    world.clock.runFor(100);
    expect(world.told).toEqual(['501 10.0.0.1']);
    world.resolve();
    expect(world.asked).toEqual(['n3.example', 'n2.example']);
    world.clock.runFor(10_000);
    expect(world.told.filter((line) => line === '10000 10.0.0.1')).toHaveLength(6);
    expect(world.asked).toHaveLength(2);
  });

  test('an IP address is its own answer', () => {
    const world = new World();
    for (const address of ['10.1.2.3', '::1', 'fe80::1%eth0']) world.resolve(address);
    expect(world.told).toEqual(['0 10.1.2.3', '0 ::1', '0 fe80::1%eth0']);
    expect(world.asked).toEqual([]);
  });

  test('while a lookup is slow, and after it failed, the last addresses are the answer', () => {
    const world = new World();
    world.resolve();
    world.clock.runFor(2_000);
    world.takesMs = 5_000;
    world.resolve();
    world.clock.runFor(1_000);
    world.resolve();
    world.clock.runFor(7_000);
    world.takesMs = 10;
    world.answer = notFound();
    world.resolve();
    world.clock.runFor(10);
    expect(world.told).toEqual(['10 10.0.0.1', '2030 10.0.0.1 (old)', '3030 10.0.0.1 (old)', '10010 10.0.0.1 (old)']);
    expect(world.asked).toHaveLength(3);
  });

  test('what an earlier run has left is the answer only while the first lookup is slow, and after it failed', () => {
    const kept = { 'n3.example': '10.0.0.9', 'n4.example': 'fd00::9' };
    const slow = new World(kept);
    slow.takesMs = 5_000;
    slow.resolve();
    slow.clock.runFor(5_000);
    slow.resolve();
    expect(slow.told).toEqual(['30 10.0.0.9 (old)', '5000 10.0.0.1']);
    const failing = new World(kept);
    failing.answer = notFound();
    failing.resolve('n4.example');
    failing.clock.runFor(10);
    expect(failing.told).toEqual(['10 fd00::9 (old)']);
    const quick = new World(kept);
    quick.resolve();
    quick.clock.runFor(100);
    expect(quick.told).toEqual(['10 10.0.0.1']);
  });

  test('where a name has led is kept, and of an IP address there is nothing to keep', () => {
    const world = new World();
    world.names.reached('n3.example', '10.0.0.1');
    world.names.reached('10.0.0.2', '10.0.0.2');
    world.names.reached('::1', '::1');
    expect(world.told).toEqual(['n3.example at 10.0.0.1']);
  });

  test('an address that changed is found by the next lookup, however slow it is', () => {
    const world = new World();
    world.resolve();
    world.clock.runFor(2_000);
    world.answer = [v4('10.0.0.2')];
    world.resolve();
    world.clock.runFor(2_000);
    world.answer = [v4('10.0.0.3')];
    world.takesMs = 3_000;
    world.resolve();
    world.clock.runFor(3_500);
    world.resolve();
    expect(world.told).toEqual(['10 10.0.0.1', '2010 10.0.0.2', '4030 10.0.0.2 (old)', '7500 10.0.0.3']);
  });

  test('the outcome of a lookup serves redials for a second, a failure as well', () => {
    const world = new World();
    world.answer = notFound();
    for (let at = 0; at < 20; at += 1) {
      world.resolve();
      world.clock.runFor(100);
    }
    expect(world.asked).toHaveLength(2);
    expect(world.told).toHaveLength(20);
    expect(world.told[0]).toBe('10 looking up n3.example failed: no such host (ENOTFOUND): check the name');
  });

  test('a lookup that takes long is said, seldom', () => {
    const world = new World();
    world.takesMs = 30_000;
    world.resolve();
    world.clock.runFor(20_000);
    expect(world.told).toEqual(
      [1, 4, 16].map(
        (s) => `${s * 1_000} looking up n3.example has taken ${s} s so far: check the name server and the name`,
      ),
    );
  });

  test('who forgot the question hears nothing, and the others do', () => {
    const world = new World();
    world.takesMs = 1_500;
    const forget = world.resolve();
    world.resolve();
    forget();
    world.clock.runFor(2_000);
    expect(world.told).toEqual([expect.stringMatching(/^1000 looking up/), '1500 10.0.0.1']);
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('what sockets are given as their lookup answers one address, all of them, or those of one family', () => {
    const world = new World();
    world.answer = [{ address: '::2', family: 6 }, v4('10.0.0.1')];
    const answers: unknown[][] = [];
    const note = (...answer: unknown[]): void => void answers.push(answer);
    world.names.lookup('n', {}, note);
    world.names.lookup('n', { all: true }, note);
    world.names.lookup('n', { family: 4 }, note);
    world.names.lookup('n', { family: 'IPv6' }, note);
    world.clock.runFor(10);
    expect(answers).toEqual([
      [null, '::2', 6],
      [null, world.answer],
      [null, '10.0.0.1', 4],
      [null, '::2', 6],
    ]);
  });

  test('the system knows localhost', async () => {
    const addresses = await new Promise((resolve) => systemLookup('localhost', (_error, found) => resolve(found)));
    expect(addresses).toEqual(expect.arrayContaining([expect.objectContaining({ family: expect.any(Number) })]));
  });
});
