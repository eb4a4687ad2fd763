import path from 'node:path';

/** Who may import whom: docs/design.md's table is made of it by `npm run docs`. Rooms that are not named may import everything. */
export interface Room {
  /** What stands in the room, where its name does not say it. */
  readonly about?: string;
  /** Itself is always among them. */
  readonly rooms?: readonly string[];
  /** Of these only types, which are gone at run time. */
  readonly types?: readonly string[];
  /** Single files of other rooms. */
  readonly files?: readonly string[];
  readonly packages?: readonly string[];
  /** Packages, `node:` ones too, and rooms, in single files. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
}

export const ROOMS: Readonly<Record<string, Room>> = {
  'src/errors': {},
  'src/raft': {},
  'src/seams': { rooms: ['src/errors'], types: ['src/raft'] },
  'src/calls': { about: 'what a caller may ask for, and how a call ends', rooms: ['src/errors'] },
  'src/wire': { rooms: ['src/errors', 'src/calls'], types: ['src/raft'], files: ['src/raft/numbers-and-ids.js'] },
  'src/dns': {
    about: 'addresses of host names, for links and the client alike',
    rooms: ['src/seams'],
    only: { 'src/dns/system-lookup.ts': ['node:'] },
  },
  'src/fast-transition': { packages: ['xstate'] },
  actors: { rooms: ['src/errors', 'src/raft', 'src/seams', 'src/fast-transition'], packages: ['xstate'] },
  machines: {
    about: 'no IO: seams, clock and seed come as input',
    rooms: ['src/errors', 'src/raft', 'src/seams', 'src/fast-transition', 'actors'],
    packages: ['xstate'],
  },
  'src/log': {
    rooms: ['src/errors', 'src/raft', 'src/seams', 'src/wire'],
    only: {
      'src/log/node-disk.ts': ['node:'],
      'src/log/directory-lock.ts': ['node:'],
      'src/log/lock-judge.ts': ['node:'],
      'src/log/lock-place.ts': ['node:'],
      'src/log/lock-record.ts': ['node:'],
      'src/log/lock-socket.ts': ['node:'],
    },
  },
  'src/http': {
    about: "requests, upgrades and clients' sessions of any service",
    rooms: ['src/errors', 'src/calls', 'src/seams', 'src/wire'],
    types: ['src/report'],
    files: ['src/dns/process-names.js'],
    packages: ['node:', 'ws'],
  },
  transport: {
    rooms: ['src/raft', 'src/seams', 'src/wire', 'src/dns'],
    // Peers come in through the server that people and clients come in through, too.
    files: ['src/http/upgrade-router.js', 'src/http/request-target.js'],
    only: {
      'transport/web-socket/transport.ts': ['types of node:'],
      'transport/web-socket/entrance.ts': ['ws', 'types of node:'],
      'transport/web-socket/greeting.ts': ['ws', 'types of node:'],
      'transport/web-socket/inbound.ts': ['ws', 'types of node:'],
      'transport/web-socket/outbound.ts': ['types of ws', 'types of node:'],
      'transport/web-socket/outbox.ts': ['types of ws', 'types of node:'],
      'transport/web-socket/patient-dial.ts': ['types of node:'],
      'transport/web-socket/snapshot-fetching.ts': ['types of ws', 'types of node:'],
      'transport/web-socket/snapshot-sending.ts': ['ws'],
      'transport/web-socket/tcp-dial.ts': ['node:'],
    },
  },
  'src/replica': {
    about: 'one replica, and where callers wait for what its chart tells of their requests',
    rooms: ['src/errors', 'src/calls', 'src/raft', 'src/seams', 'machines'],
    packages: ['xstate'],
  },
  'src/client': {
    rooms: ['src/errors', 'src/calls', 'src/seams', 'src/wire', 'src/dns'],
    only: {
      'src/client/node-platform.ts': ['ws'],
      // What users import: without another service they get the key-value store's client.
      'src/client/node.ts': ['src/key-value'],
      'src/client/browser.ts': ['src/key-value'],
      'src/client/exports.ts': ['src/key-value'],
    },
  },
  'src/key-value': {
    about: 'the store, and the service that it brings',
    rooms: ['src/errors', 'src/calls', 'src/seams', 'src/wire', 'src/client'],
  },
  'src/testing': {
    rooms: [
      'src/errors',
      'src/calls',
      'src/raft',
      'src/seams',
      'src/wire',
      'src/dns',
      'src/replica',
      'src/log',
      'src/key-value',
      'machines',
      'actors',
      'transport',
    ],
    packages: ['xstate'],
  },
  'src/inspect': {
    about: 'what turns running charts into what a viewer shows, and draws them',
    rooms: ['src/errors', 'src/seams', 'src/http'],
    packages: ['xstate'],
    files: ['src/wire/connections.js'],
    only: {
      'src/inspect/inspector-server.ts': ['ws', 'node:'],
      'src/inspect/stream-endpoint.ts': ['types of ws', 'types of node:'],
      'src/inspect/program-endpoint.ts': ['ws', 'types of node:'],
      'src/inspect/dial-inspector.ts': ['ws'],
      'src/inspect/create-inspector.ts': ['node:'],
      'src/inspect/inspector-page.ts': ['types of node:'],
      'src/inspect/socket-viewer.ts': ['types of ws'],
    },
  },
  'src/report': {
    about: 'what a node tells people of itself: its reports, metrics, news and headline; browsers load what reads them',
    rooms: ['src/errors', 'src/raft', 'src/seams', 'src/replica'],
    only: { 'src/report/event-loop-watch.ts': ['node:'], 'src/report/prometheus.ts': ['prom-client'] },
  },
  'src/pages': {
    about: 'the pages that nodes serve: they run in browsers',
    rooms: ['src/report', 'src/inspect'],
    files: ['src/wire/connections.js'],
    packages: ['preact', 'preact/hooks', 'uplot'],
  },
  'src/node': {
    rooms: [
      'src/errors',
      'src/calls',
      'src/raft',
      'src/seams',
      'src/wire',
      'src/replica',
      'src/log',
      'src/http',
      'src/report',
      'src/inspect',
      'machines',
      'transport',
    ],
    files: ['actors/new-state-machines.js'],
    packages: ['node:', 'xstate', 'pino', 'zod'],
  },
};

/** The table of docs/design.md. */
export function importTable(rooms = ROOMS): string {
  const rows = Object.entries(rooms).map(([name, room]) => {
    return `| \`${name}\` | ${mayImport(room)} | ${room.about ?? ''} |`;
  });
  return [
    '| Room | May import | What stands there |',
    '| --- | --- | --- |',
    ...rows,
    '| `src/cli` | everything | |',
  ].join('\n');
}

function mayImport({ rooms = [], types = [], files = [], packages = [], only = {} }: Room): string {
  const code = (name: string): string => name.replace(/\S+$/, '`$&`');
  const inFiles = new Map<string, string[]>();
  for (const [file, names] of Object.entries(only)) {
    for (const name of names) inFiles.set(name, [...(inFiles.get(name) ?? []), code(path.basename(file))]);
  }
  const everywhere = [...rooms, ...types.map((one) => `types of ${one}`), ...files, ...packages].map(code).join(', ');
  const inSome = [...inFiles].map(([name, where]) => `${code(name)} in ${where.join(', ')}`);
  return [everywhere || 'nothing else', ...inSome].join('; ');
}

export interface Import {
  readonly from: string;
  readonly isType: boolean;
}

const IMPORT =
  /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

export function importsOf(source: string): readonly Import[] {
  return [...source.matchAll(IMPORT)].map(([, type, named, bare, dynamic]) => {
    return { from: named ?? bare ?? dynamic ?? '', isType: type !== undefined };
  });
}

export function roomOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'src' ? `${first}/${second}` : first;
}

/** What a file imports and may not, as sentences. `file` and the imports' targets are paths from the top. */
export function trespasses(file: string, imports: readonly Import[], rooms = ROOMS): readonly string[] {
  const room = roomOf(file);
  const rule = rooms[room];
  if (rule === undefined) return [];
  return imports.filter((one) => !isAllowed(file, room, rule, one)).map(({ from }) => `${file} may not import ${from}`);
}

function isAllowed(file: string, room: string, rule: Room, { from, isType }: Import): boolean {
  if (!from.startsWith('.')) {
    const name = from.startsWith('node:') ? 'node:' : from;
    const here = [...(rule.packages ?? []), ...(rule.only?.[file] ?? [])];
    return here.includes(name) || (isType && here.includes(`types of ${name}`));
  }
  const imported = resolve(file, from);
  if ((rule.files ?? []).includes(imported)) return true;
  const target = roomOf(imported);
  const here = [...(rule.rooms ?? []), ...(rule.only?.[file] ?? [])];
  return target === room || here.includes(target) || (isType && (rule.types ?? []).includes(target));
}

function resolve(file: string, relative: string): string {
  return new URL(relative, `file:///${file}`).pathname.slice(1);
}

/** The file of this repository that is imported; nothing for a package. */
export function fileOf(file: string, { from }: Import): readonly string[] {
  return from.startsWith('.') ? [resolve(file, from).replace(/\.js$/, '.ts')] : [];
}

/** For each name that reaches itself, the shortest way to itself; one for each circle, from the name that is first. */
export function circlesOf(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const seen = new Set<string>();
  return [...imports.keys()].sort().flatMap((name) => {
    if (seen.has(name)) return [];
    const way = wayBackTo(name, imports);
    for (const one of way) seen.add(one);
    return way.length === 0 ? [] : [way];
  });
}

function wayBackTo(name: string, imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const ways: (readonly string[])[] = [[name]];
  const reached = new Set<string>();
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of imports.get(way.at(-1) as string) ?? []) {
      if (next === name) return way;
      if (reached.has(next)) continue;
      reached.add(next);
      ways.push([...way, next]);
    }
  }
  return [];
}
