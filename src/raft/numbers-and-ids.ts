/** A number with a name in its type, so that a term cannot be passed where an index is meant. */
declare const kind: unique symbol;
export type Brand<Base, Kind extends string> = Base & { readonly [kind]: Kind };

/** §5.1: logical time; at most one leader in each. 0 before the first election. */
export type Term = Brand<number, 'Term'>;

/** A position in the log. The first entry has index 1; 0 is the place before it. */
export type Index = Brand<number, 'Index'>;

/** Identity of one read-index round (§8, thesis §6.4). Grows by one for each round of a node's life. */
export type ReadRound = Brand<number, 'ReadRound'>;

/** A server's name, unique in its cluster: see `problemWithId`. */
export type NodeId = string;

/** Why a text is no id of a node; undefined where it is one. A name that every object inherits would be found in every record. */
export function problemWithId(id: unknown): string | undefined {
  const isName = typeof id === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(id);
  const shown = typeof id === 'string' ? JSON.stringify(id.slice(0, 80)) : String(id);
  if (!isName) return `expected an id of 1 to 64 characters of A-Z a-z 0-9 _ . -, got ${shown}: name the node so`;
  if (id in Object.prototype)
    return `expected an id that is no name of JavaScript's own, got ${shown}: call the node n1, say`;
  return undefined;
}

/** Reads what a record holds under an id, never what every object inherits. */
export function valueFor<Value>(record: Readonly<Record<NodeId, Value>>, id: NodeId): Value | undefined {
  return Object.hasOwn(record, id) ? record[id] : undefined;
}

export const asTerm = (value: number): Term => value as Term;
export const asIndex = (value: number): Index => value as Index;
export const asReadRound = (value: number): ReadRound => value as ReadRound;

/** The index `count` entries further on (or back, where `count` is negative). */
export const advance = (index: Index, count: number): Index => (index + count) as Index;

export const lesser = (a: Index, b: Index): Index => (a < b ? a : b);
export const greater = (a: Index, b: Index): Index => (a > b ? a : b);

/** Remaining time of a request without deadline: the largest value that a frame holds, ms. */
export const NO_DEADLINE_MS = 2 ** 32 - 1;

export const NO_TERM = asTerm(0);
export const NO_INDEX = asIndex(0);
/** Before the first read round of a term: an answer that confirms none. */
export const NO_ROUND = asReadRound(0);

/** The pair that §5.4.1 compares: the term and index of an entry. */
export interface LogPosition {
  readonly index: Index;
  readonly term: Term;
}

export const LOG_START: LogPosition = { index: NO_INDEX, term: NO_TERM };
