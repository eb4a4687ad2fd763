import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { satisfies } from 'semver';
import { documents, drawings, withCharts } from '../../tools/draw-charts.mjs';
import { PURE, REAL } from '../../tools/stress.mjs';
import { circlesOf, fileOf, importsOf, ROOMS, roomOf, trespasses } from './import-table.js';

const SHIPPED = ['src', 'actors', 'machines', 'transport'];

function filesUnder(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((file) => path.posix.join(folder, file))
    .filter((file) => /\.tsx?$/.test(file));
}

const shipped = SHIPPED.flatMap(filesUnder).map((file) => ({ file, text: readFileSync(file, 'utf8') }));
const all = [
  ...shipped,
  ...['test', 'bench', 'examples'].flatMap(filesUnder).map((file) => ({ file, text: readFileSync(file, 'utf8') })),
];

describe('who may import whom', () => {
  test('every file keeps to the table', () => {
    expect(shipped.flatMap(({ file, text }) => trespasses(file, importsOf(text)))).toEqual([]);
  });

  test('every room of the table is there, and is named in docs/design.md', () => {
    const rooms = new Set(shipped.map(({ file }) => roomOf(file)));
    const design = readFileSync('docs/design.md', 'utf8');
    for (const room of Object.keys(ROOMS)) {
      expect([...rooms]).toContain(room);
      expect(design).toContain(`\`${room}\``);
    }
  });

  test('zod is loaded when options are checked, not when the package is imported', () => {
    const loading = shipped.filter(({ text }) => importsOf(text).some(({ from, isType }) => from === 'zod' && !isType));
    expect(loading.map(({ file }) => file)).toEqual(['src/node/zod.ts']);
    const { text } = loading[0] as { text: string };
    expect(text).not.toMatch(/^import \{[^}]*\} from 'zod'/m);
  });

  test('no file imports itself by way of others, types included', () => {
    const imports = new Map(
      shipped.map(({ file, text }) => [file, importsOf(text).flatMap((one) => fileOf(file, one))]),
    );
    expect(circlesOf(imports)).toEqual([]);
  });

  test('no room imports itself by way of others, but for what users import as quorate/client', () => {
    const entries = ['src/client/node.ts', 'src/client/browser.ts', 'src/client/exports.ts'];
    const imports = new Map<string, string[]>();
    for (const { file, text } of shipped.filter((one) => !entries.includes(one.file))) {
      const rooms = importsOf(text)
        .flatMap((one) => fileOf(file, one))
        .map(roomOf);
      const others = rooms.filter((room) => room !== roomOf(file));
      imports.set(roomOf(file), [...(imports.get(roomOf(file)) ?? []), ...others]);
    }
    expect(circlesOf(imports)).toEqual([]);
  });

  test('the check for circles itself finds one', () => {
    expect(
      circlesOf(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a', 'd']],
          ['d', []],
        ]),
      ),
    ).toEqual([['a', 'b', 'c']]);
  });

  test.each<[string, string, boolean]>([
    ['src/raft/a.ts', "import { x } from '../seams/y.js';", false],
    ['src/raft/a.ts', "import { setup } from 'xstate';", false],
    ['src/raft/a.ts', "import fs from 'node:fs';", false],
    ['src/raft/a.ts', "export { x } from './y.js';", true],
    ['src/seams/a.ts', "import type { x } from '../raft/y.js';", true],
    ['src/seams/a.ts', "import { x } from '../raft/y.js';", false],
    ['actors/a.ts', "import { x } from '../machines/y.js';", false],
    ['actors/a.ts', "import {\n  x,\n  y,\n} from '../machines/y.js';", false],
    ['machines/a.ts', "const x = await import('../src/log/y.js');", false],
    ['src/log/node-disk.ts', "import fs from 'node:fs';", true],
    ['src/log/other.ts', "import fs from 'node:fs';", false],
    ['transport/web-socket/outbox.ts', "import type { WebSocket } from 'ws';", true],
    ['transport/web-socket/outbox.ts', "import { WebSocket } from 'ws';", false],
    ['src/cli/a.ts', "import fs from 'node:fs';", true],
  ])('the check itself: in %s, %j is allowed: %s', (file, source, allowed) => {
    expect(trespasses(file, importsOf(source)).length === 0).toBe(allowed);
  });
});

/** Rooms where real IO is plugged in have the system's clock, and pages have the browser's. */
const isBoundToClock = (file: string): boolean => {
  const room = ROOMS[roomOf(file)];
  return room !== undefined && room.packages?.includes('node:') !== true && roomOf(file) !== 'src/pages';
};

const HAVE_A_CLOCK = ['src/client/node-platform.ts', 'src/client/browser.ts', 'src/dns/process-names.ts'];

describe('style', () => {
  test('files are short: 300 lines at most, and 400 of tests', () => {
    const mostLines = (file: string): number => (file.startsWith('test/') ? 400 : 300);
    const long = all.filter(({ file, text }) => text.trimEnd().split('\n').length > mostLines(file));
    expect(long.map(({ file }) => file)).toEqual([]);
  });

  test('no comment begins with "Of", or with a "Whoever" that leaves open who is meant: it says its subject first', () => {
    const riddle = /(\/\*\*|^\s*\/\/|^\s*\*) (Of|Whoever|Whose) /m;
    expect(shipped.filter(({ text }) => riddle.test(text)).map(({ file }) => file)).toEqual([]);
  });

  test('no file is named for having no subject', () => {
    const vague = /\/(utils?|helpers?|common|misc)(\.|\/)/;
    expect(all.map(({ file }) => file).filter((file) => vague.test(file))).toEqual([]);
  });

  test('tests are not skipped, focused or put off', () => {
    const marks = /\b(test|it|describe)\.(skip|only|todo|failing)\b|\bx(it|test|describe)\(/;
    expect(
      all.filter(({ file, text }) => !file.startsWith('test/architecture') && marks.test(text)).map(({ file }) => file),
    ).toEqual([]);
  });

  test('nothing keeps time outside the clock seam, and nothing draws chance outside the seeded generator', () => {
    const clockOrChance =
      /(?<!\.)\bsetTimeout\((?!.*\): )|\bsetInterval\(|\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bMath\.random\b/;
    const found = shipped
      // The client's platforms are its clock seam; a process's names are looked up by the process's clock.
      .filter(({ file }) => isBoundToClock(file) && !HAVE_A_CLOCK.includes(file))
      .flatMap(({ file, text }) => text.split('\n').map((line) => ({ file, line: line.trim() })))
      .filter(({ line }) => clockOrChance.test(line) && !/^(\*|\/\/|\/\*)/.test(line));
    expect(found).toEqual([]);
  });
});

test('every package that is installed runs under the oldest Node.js that README names: npm ci has nothing to warn of', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  const [, oldest = '', next = ''] = /^\^(\d+\.\d+)\.0 \|\| >=(\d+\.\d+)\.0$/.exec(engines.node) ?? [];
  expect(readFileSync('README.md', 'utf8')).toContain(`Node.js ${oldest}, ${next} or later`);
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Readonly<Record<string, { readonly engines?: { readonly node?: string } }>>;
  };
  const refusing = Object.entries(packages).filter(([, { engines: wanted }]) => {
    return wanted?.node !== undefined && !satisfies(`${oldest}.0`, wanted.node);
  });
  expect(refusing.map(([folder, { engines: wanted }]) => `${folder} wants ${wanted?.node}`)).toEqual([]);
});

test('npm run test:stress knows each folder of test/: either it runs its tests, or it says that they are pure', () => {
  const folders = readdirSync('test', { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect([...REAL, ...PURE].sort()).toEqual(folders.map(({ name }) => name).sort());
});

interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly tests: readonly string[];
}

describe('the mutants that the tests must notice (npm run mutants)', () => {
  const mutants = readdirSync('tools/mutants').flatMap((file) => {
    return JSON.parse(readFileSync(path.join('tools/mutants', file), 'utf8')) as Mutant[];
  });

  test('change code that is there, once each, and name tests that are there', () => {
    const lost = mutants.filter(({ file, find, tests }) => {
      const isThere = existsSync(file) && readFileSync(file, 'utf8').split(find).length === 2;
      return !isThere || !tests.every((named) => existsSync(named.split('#')[0] as string));
    });
    expect(lost.map(({ name }) => name)).toEqual([]);
  });

  test('have each a name of its own', () => {
    const names = mutants.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });
});

describe('what is generated is current', () => {
  test('the charts in the documents', async () => {
    const drawn = await drawings((file: string) => import(`../../${file}`));
    for (const file of documents()) {
      const text = readFileSync(file, 'utf8');
      expect(withCharts(text, drawn)).toBe(text);
    }
    expect(readFileSync('README.md', 'utf8')).toContain(drawn.replica);
  });

  test('the vendored inspector is what its script writes', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: { vendor: string } };
    const script = scripts.vendor
      .replace(/ --outfile=\S+/, '')
      .replace('--legal-comments=external', '--legal-comments=none');
    const PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
    const written = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: { ...process.env, PATH } });
    const kept = readFileSync('vendor/xstate-inspect.cjs', 'utf8').replace(/\/\*! For license[^*]*\*\/\n/, '');
    expect(kept.trim()).toBe(written.trim());
  });
});

test('each decision has a number of its own', () => {
  const numbers = readdirSync('docs/decisions').map((file) => file.slice(0, 4));
  expect(numbers.filter((number, at) => numbers.indexOf(number) !== at)).toEqual([]);
});
