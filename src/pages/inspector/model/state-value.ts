/** Part of what XState calls a state value: a state's key, or an object from keys of states to what is active below them. */
type Branch = Readonly<Record<string, unknown>>;

const isBranch = (value: unknown): value is Branch => typeof value === 'object' && value !== null;

/** Paths of all active states, ancestors too, as `active`, `active.leader`, `active.leader.serving`. */
export function activePaths(value: unknown): readonly string[] {
  const paths: string[] = [];
  collect(value, '', (path) => paths.push(path));
  return paths;
}

/** Paths of the active states without an active one below: one, or one for each parallel region. */
export function leafPaths(value: unknown): readonly string[] {
  const paths = activePaths(value);
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
}

function collect(value: unknown, prefix: string, found: (path: string) => void): void {
  const children: Branch = typeof value === 'string' ? { [value]: null } : isBranch(value) ? value : {};
  for (const [key, below] of Object.entries(children)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    found(path);
    collect(below, path, found);
  }
}

/** A state value in one line: `leader.serving`, `editing.idle ‖ waiting`. */
export function valueText(value: unknown): string {
  return leafPaths(value).join(' ‖ ');
}

/** The change between two state values, without the part that both share: `establishing → serving`. Empty where there is none. */
export function changeText(before: unknown, after: unknown): string {
  return changes(before, after).join(', ');
}

function changes(before: unknown, after: unknown): readonly string[] {
  if (isBranch(before) && isBranch(after)) {
    const keys = Object.keys(before);
    const isSame = keys.length === Object.keys(after).length && keys.every((key) => key in after);
    if (isSame) return keys.flatMap((key) => changes(before[key], after[key]));
  }
  const texts = [valueText(before), valueText(after)];
  return texts[0] === texts[1] ? [] : [`${texts[0]} → ${texts[1]}`];
}

/** The leaf states that came last: those that were not there before, or where nothing is known of before, all. */
export function newestLeaves(before: unknown, after: unknown): readonly string[] {
  const known = leafPaths(before);
  const leaves = leafPaths(after);
  const fresh = leaves.filter((leaf) => !known.includes(leaf));
  return fresh.length === 0 ? leaves : fresh;
}

/** A state in few words: its last `keys` keys, as `leader.serving`; of parallel ones the newest, and how many others there are: `shown +3`. */
export function shortPath(value: unknown, newest: readonly string[], keys: number): string {
  const leaves = leafPaths(value);
  const [leaf = ''] = newest.length === 0 ? leaves : newest;
  const text = leaf.split('.').slice(-keys).join('.');
  return leaves.length > 1 ? `${text} +${leaves.length - 1}` : text;
}
