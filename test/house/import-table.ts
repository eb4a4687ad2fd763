/** Who may import whom: docs/design.md's table as data. Rooms that are not named may import everything. */
export interface Room {
  /** Itself is always among them. */
  readonly rooms?: readonly string[];
  /** Of these only types, which are gone at run time. */
  readonly types?: readonly string[];
  /** Single files of other rooms. */
  readonly files?: readonly string[];
  readonly packages?: readonly string[];
  /** Packages, `node:` ones too, in single files. */
  readonly only?: Readonly<Record<string, readonly string[]>>;
}

export const ROOMS: Readonly<Record<string, Room>> = {
  'src/raft': {},
  'src/seams': { types: ['src/raft'] },
  'src/codec': { types: ['src/raft', 'src/seams'], files: ['src/raft/kinds.js'] },
  'src/desk': { rooms: ['src/raft', 'src/seams'], types: ['machines'] },
  actors: { rooms: ['src/raft', 'src/seams'], packages: ['xstate'] },
  machines: { rooms: ['src/raft', 'src/seams', 'src/desk', 'actors'], packages: ['xstate'] },
  'src/storage': {
    rooms: ['src/raft', 'src/seams', 'src/codec'],
    only: {
      'src/storage/node-disk.ts': ['node:'],
      'src/storage/directory-lock.ts': ['node:'],
      'src/storage/lock-judge.ts': ['node:'],
      'src/storage/lock-place.ts': ['node:'],
      'src/storage/lock-record.ts': ['node:'],
      'src/storage/lock-socket.ts': ['node:'],
    },
  },
  'src/names': { rooms: ['src/seams'], only: { 'src/names/system-lookup.ts': ['node:'] } },
  'src/state-machines': { rooms: ['src/raft', 'src/seams', 'src/codec'] },
  transport: {
    rooms: ['src/raft', 'src/seams', 'src/codec', 'src/names'],
    only: {
      'transport/web-socket-transport.ts': ['types of node:'],
      'transport/dialed.ts': ['ws', 'types of node:'],
      'transport/reception.ts': ['ws', 'types of node:'],
      'transport/outbox.ts': ['types of ws', 'types of node:'],
      'transport/tcp-dial.ts': ['node:'],
      'transport/upgrades.ts': ['types of node:'],
      'transport/upgrade-router.ts': ['types of node:'],
      'transport/interception.ts': ['types of node:'],
      'transport/not-upgraded.ts': ['types of node:'],
    },
  },
  'src/testing': {
    rooms: [
      'src/raft',
      'src/seams',
      'src/codec',
      'src/desk',
      'src/storage',
      'src/state-machines',
      'machines',
      'actors',
      'transport',
    ],
    packages: ['xstate'],
  },
  'src/client': {
    rooms: ['src/raft', 'src/seams', 'src/codec', 'src/desk', 'src/state-machines', 'src/names'],
    only: { 'src/client/node-platform.ts': ['ws'] },
  },
  'src/inspect': { rooms: ['src/seams'], packages: ['xstate'] },
};

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
  const path = resolve(file, from);
  if ((rule.files ?? []).includes(path)) return true;
  const target = roomOf(path);
  return target === room || (rule.rooms ?? []).includes(target) || (isType && (rule.types ?? []).includes(target));
}

function resolve(file: string, relative: string): string {
  return new URL(relative, `file:///${file}`).pathname.slice(1);
}
