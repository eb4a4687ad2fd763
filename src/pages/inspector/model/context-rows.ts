/** A line of the context's tree. */
export interface ContextRow {
  /** Keys from the top, joined: names the row while values change. */
  readonly path: string;
  readonly depth: number;
  readonly key: string;
  readonly text: string;
  /** The value in the snapshot before; null where it has not changed. */
  readonly before: string | null;
  /** Whether it has lines below it, and whether they are shown; null for a value. */
  readonly isOpen: boolean | null;
}

export interface ContextTree {
  readonly rows: readonly ContextRow[];
  /** How many values changed since the snapshot before. */
  readonly changed: number;
  /** Branches in which something changed. */
  readonly changedBranches: readonly string[];
}

type Branch = Readonly<Record<string, unknown>>;

/** Branches with more entries than this begin closed unless something in them changed. */
const OPEN_ENTRIES = 24;
const OPEN_DEPTH = 2;
const SHOWN_LENGTH = 160;

/** The branches that are opened or closed for other reasons than their size. */
export interface OpenBranches {
  /** Those in which something changed while they were looked at: they stay open, so that nothing changes its place. */
  readonly lively: ReadonlySet<string>;
  /** Those that the user opened or closed against the rule. */
  readonly toggled: ReadonlySet<string>;
}

export const NO_BRANCHES: OpenBranches = { lively: new Set(), toggled: new Set() };

/** A value as a tree, with what changed since the one before. */
export function contextTree(value: unknown, before: unknown, { lively, toggled }: OpenBranches): ContextTree {
  const rows: ContextRow[] = [];
  let changed = 0;
  const changedBranches: string[] = [];
  const isOpen = (path: string, branch: Branch, depth: number, hasChanged: boolean): boolean => {
    if (hasChanged) changedBranches.push(path);
    const isSmall = depth < OPEN_DEPTH && Object.keys(branch).length <= OPEN_ENTRIES;
    return (isSmall || hasChanged || lively.has(path)) !== toggled.has(path);
  };
  const visit = (branch: Branch, old: unknown, prefix: string, depth: number): void => {
    for (const key of keysOf(branch, old)) {
      const path = `${prefix}/${key}`;
      const now = branch[key];
      const then = isPlain(old) || Array.isArray(old) ? (old as Branch)[key] : old === undefined ? now : undefined;
      const below = branchOf(now);
      const hasChanged = !isSame(now, then);
      if (hasChanged && (below === null || branchOf(then) === null)) changed += 1;
      const open = below === null ? null : isOpen(path, below, depth, hasChanged);
      const isWhole = below === null || branchOf(then) === null || open === false;
      rows.push({
        path,
        depth,
        key,
        text: textIn(key, now),
        isOpen: open,
        before: hasChanged && isWhole ? textIn(key, then) : null,
      });
      if (below !== null && open === true) visit(below, then, path, depth + 1);
      else if (below !== null && hasChanged && branchOf(then) !== null) changed += 1;
    }
  };
  if (isPlain(value)) visit(value, before, '', 0);
  return { rows, changed, changedBranches };
}

/** Keys that are there no more come last, so that it shows that they went. */
function keysOf(branch: Branch, old: unknown): readonly string[] {
  const keys = Object.keys(branch);
  if (!isPlain(old)) return keys;
  return [...keys, ...Object.keys(old).filter((key) => !(key in branch))];
}

const isPlain = (value: unknown): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;

/** A value that is shown with lines of its own, an object or a list of more than plain values; null for others. */
function branchOf(value: unknown): Branch | null {
  if (Array.isArray(value)) {
    return value.length > 0 && (!value.every(isScalar) || value.length > 8) ? (value as unknown as Branch) : null;
  }
  return isPlain(value) && !isActor(value) && Object.keys(value).length > 0 ? value : null;
}

const isActor = (value: unknown): boolean =>
  isPlain(value) && typeof value.actor === 'string' && Object.keys(value).length === 1;

/** The time of what has not happened yet is -Infinity, so that it is before every other. */
const textIn = (key: string, value: unknown): string =>
  value === '-Infinity' && /(At|Since|Until)(Ms)?$/.test(key) ? 'never (-Infinity)' : textOf(value);

/** A value in one line: numbers with separators, `{3}` for an object of three, `{2 actors}`. */
export function textOf(value: unknown): string {
  if (value === undefined) return '–';
  if (typeof value === 'number') return numberText(value);
  if (typeof value === 'string') return cut(isWord(value) ? value : JSON.stringify(value));
  if (Array.isArray(value))
    return value.every(isScalar) && value.length <= 8 ? cut(`[${value.map(textOf).join(', ')}]`) : `[${value.length}]`;
  if (isPlain(value)) return objectText(value);
  return String(value);
}

const numberText = (value: number): string =>
  Number.isInteger(value) || Math.abs(value) >= 1
    ? value.toLocaleString('en-US', { maximumFractionDigits: 3 })
    : String(value);

/** Ids and words stand without quotation marks, all else with them. */
const isWord = (value: string): boolean =>
  /^([A-Za-z][\w.:-]{0,40}|\([A-Za-z]\w*\)|-Infinity)$/.test(value) && !/^(true|false|null)$/.test(value);

function objectText(value: Branch): string {
  if (isActor(value)) return String(value.actor);
  const parts = Object.values(value);
  if (parts.length > 0 && parts.every(isActor)) return `{${parts.length} ${parts.length === 1 ? 'actor' : 'actors'}}`;
  return `{${parts.length === 0 ? '' : parts.length}}`;
}

const cut = (text: string): string => (text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text);

function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (isScalar(one) || isScalar(other)) return Number.isNaN(one) && Number.isNaN(other);
  const [a, b] = [one as Branch, other as Branch];
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && isSame(a[key], b[key]));
}
