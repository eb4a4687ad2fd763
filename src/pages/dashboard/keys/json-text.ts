/** Strings, numbers and words, and marks; whatever is between them is white space. */
const TOKENS = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;
/** An inner list or object whose text is no longer stays on one line. */
const ONE_LINE = 60;

/** Why the text is no JSON; null where it is. */
export function jsonFault(text: string): string | null {
  try {
    JSON.parse(text);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The same JSON without white space. Numbers keep their digits: `31.0` and those that no JavaScript number can hold. */
export const compactJson = (text: string): string => tokensOf(text).join('');

export const isCompact = (text: string): boolean => jsonFault(text) === null && compactJson(text) === text;

/** The same JSON over several lines, as people read it. The text must be JSON. */
export function prettyJson(text: string): string {
  return write(parse(tokensOf(text)), '', true);
}

const tokensOf = (text: string): readonly string[] => text.match(TOKENS) ?? [];

/** A scalar's text, or a list's or object's parts as they were. */
type Node =
  | string
  | { readonly open: '{' | '['; readonly items: readonly { readonly key: string | null; readonly value: Node }[] };

function parse(tokens: readonly string[]): Node {
  let at = 0;
  const value = (): Node => {
    const token = tokens[at++] ?? '';
    if (token !== '{' && token !== '[') return token;
    const items: { key: string | null; value: Node }[] = [];
    while (at < tokens.length && tokens[at] !== '}' && tokens[at] !== ']') {
      const key = token === '{' ? (tokens[at] ?? null) : null;
      if (key !== null) at += 2;
      items.push({ key, value: value() });
      if (tokens[at] === ',') at += 1;
    }
    at += 1;
    return { open: token, items };
  };
  return value();
}

function write(node: Node, indent: string, isOutermost: boolean): string {
  if (typeof node === 'string') return node;
  const close = node.open === '{' ? '}' : ']';
  if (node.items.length === 0) return node.open + close;
  const flat = isOutermost ? null : oneLine(node);
  if (flat !== null) return flat;
  const inner = `${indent}  `;
  const lines = node.items.map(({ key, value }) => inner + keyed(key, write(value, inner, false)));
  return `${node.open}\n${lines.join(',\n')}\n${indent}${close}`;
}

/** Only of what holds nothing but scalars. */
function oneLine({ open, items }: Exclude<Node, string>): string | null {
  const texts = items.map(({ key, value }) => (typeof value === 'string' ? keyed(key, value) : null));
  if (texts.includes(null)) return null;
  const text = open === '{' ? `{ ${texts.join(', ')} }` : `[${texts.join(', ')}]`;
  return text.length <= ONE_LINE ? text : null;
}

const keyed = (key: string | null, value: string): string => (key === null ? value : `${key}: ${value}`);
