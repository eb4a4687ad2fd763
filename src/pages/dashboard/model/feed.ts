import type { NodeNews } from '../../../report/node-report.js';

/** Something that happened, as one node told it, or this page itself. */
export interface Item {
  /** The node that told it; null where this page noticed it. */
  readonly from: string | null;
  readonly event: string;
  /** By the browser's clock. */
  readonly atMs: number;
  readonly tone: NodeNews['tone'];
  readonly text: string;
  /** The node's term then; null where the page noticed it. */
  readonly term: number | null;
  readonly sequence: number;
}

export type FeedRow =
  | {
      readonly kind: 'news';
      readonly key: string;
      readonly item: Item;
      /** How often it happened, this time included. */
      readonly count: number;
      /** The same in words, as `4 times in 20 s`; null where it happened once. */
      readonly repeats: string | null;
      /** The part of the text that is of less weight; null where there is none. */
      readonly aside: string | null;
      readonly main: string;
      /** The node that told it, shown in grey where the text is not about it; null where it is. */
      readonly reporter: string | null;
    }
  | {
      readonly kind: 'quiet';
      readonly key: string;
      readonly text: string;
      readonly fromMs: number;
      readonly untilMs: number;
    };

const MOST_ITEMS = 1_000;
const BEGINS_A_TERM = /^(election\.started|role\.changed)$/;
const QUIET_MS = 60_000;
const FOLDED_WITHIN_MS = 30_000;
/** A repeat is looked for among as many of its node's newest rows. */
const LOOKED_BACK = 3;
/** Several nodes that tell the same within this time tell of one thing. */
const TOLD_TOGETHER_MS = 1_000;
/** A node that comes and goes, or a link: both happen again and again, the failure and what ends it. */
const COMES_AND_GOES = /^(peer\.(changed|trails|caughtUp)|link\.changed|page\.lost)$/;

/** The news of all nodes, each once, ordered by time. */
export class Feed {
  readonly #items = new Map<string, Item>();
  #sorted: readonly Item[] | undefined;
  #pageSequence = 0;
  readonly #begun = new Map<number, number | null>();

  /** News that were told before, as after a reconnect, are not added again. `offsetMs` turns the node's time into the browser's. */
  heard(from: string, news: NodeNews, offsetMs: number): void {
    const { sequence, atMs, event, tone, text, term } = news;
    // A node that was restarted counts from 1 again, at another time.
    const key = `${from} ${sequence} ${atMs}`;
    if (this.#items.has(key)) return;
    this.#add(key, { from, event, atMs: atMs + offsetMs, tone, text, term, sequence });
  }

  /** Adds news that this page noticed by itself. */
  noticed(news: Pick<Item, 'event' | 'tone' | 'text'>, atMs: number): void {
    this.#pageSequence += 1;
    this.#add(`page ${this.#pageSequence}`, { ...news, from: null, atMs, term: null, sequence: this.#pageSequence });
  }

  /** Oldest first. */
  get items(): readonly Item[] {
    this.#sorted ??= [...this.#items.values()].sort(byTime);
    return this.#sorted;
  }

  /** When a term began, where any node's news tell it: the first election, leader or follower of it. */
  termBegan(term: number): number | null {
    const known = this.#begun.get(term);
    if (known !== undefined) return known;
    const first = this.items.find((item) => item.term === term && BEGINS_A_TERM.test(item.event));
    this.#begun.set(term, first?.atMs ?? null);
    return first?.atMs ?? null;
  }

  #add(key: string, item: Item): void {
    this.#items.set(key, item);
    this.#sorted = undefined;
    this.#begun.clear();
    if (this.#items.size <= MOST_ITEMS) return;
    const oldest = [...this.#items].reduce((one, other) => (byTime(one[1], other[1]) <= 0 ? one : other));
    this.#items.delete(oldest[0]);
  }
}

const byTime = (one: Item, other: Item): number =>
  one.atMs - other.atMs ||
  (one.from === other.from ? one.sequence - other.sequence : (one.from ?? '').localeCompare(other.from ?? ''));

/** Rows to show, newest first: repeats folded into one, and quiet spells between them. */
export function feedRows(items: readonly Item[], only: string | null): readonly FeedRow[] {
  const shown = only === null ? items : items.filter(({ from, text }) => from === only || names(text, only));
  const folded = fold(shown).reverse();
  return folded.flatMap((row, at) => {
    const newer = folded[at - 1];
    const gapMs = newer === undefined ? 0 : newer.sinceMs - row.item.atMs;
    return newer !== undefined && gapMs >= QUIET_MS ? [quiet(row.item.atMs, newer.sinceMs), rowOf(row)] : [rowOf(row)];
  });
}

interface Folded {
  item: Item;
  count: number;
  readonly sinceMs: number;
  /** The nodes that told of the last time that it happened. */
  reporters: readonly (string | null)[];
}

/** News that repeat are one row at their newest time. Whatever a leader achieved in between ends the series. */
function fold(items: readonly Item[]): Folded[] {
  const rows: Folded[] = [];
  for (const item of items) {
    const told = rows.findLast((row) => isToldAlready(row, item));
    if (told !== undefined) {
      told.reporters = [...told.reporters, item.from];
      // What a node tells of itself counts more than that others tell the same of it.
      if (isOfItself(item)) told.item = { ...item, atMs: told.item.atMs };
      continue;
    }
    const series = repeated(rows, item);
    if (series !== undefined) rows.splice(rows.indexOf(series), 1);
    const { count = 0, sinceMs = item.atMs } = series ?? {};
    rows.push({ item, count: count + 1, sinceMs, reporters: [item.from] });
  }
  return rows;
}

/** Another node told the same just before. */
const isToldAlready = ({ item: other, reporters }: Folded, { from, text, atMs }: Item): boolean =>
  atMs - other.atMs < TOLD_TOGETHER_MS && other.text === text && !reporters.includes(from);

const isOfItself = ({ from, text }: Item): boolean => text.startsWith(`${from} `);

function repeated(rows: readonly Folded[], item: Item): Folded | undefined {
  const comesAndGoes = COMES_AND_GOES.test(item.event);
  if (item.tone === 'accent' && !comesAndGoes) return undefined;
  let looked = 0;
  for (let at = rows.length - 1; at >= 0 && (comesAndGoes || looked < LOOKED_BACK); at -= 1) {
    const row = rows[at] as Folded;
    if (item.atMs - row.item.atMs >= FOLDED_WITHIN_MS) return undefined;
    if (row.item.from !== item.from && !(comesAndGoes && row.reporters.includes(item.from))) continue;
    const isPartOfIt = comesAndGoes && COMES_AND_GOES.test(row.item.event);
    if (row.item.tone === 'accent' && !isPartOfIt) return undefined;
    if (likeness(row.item) === likeness(item)) return row;
    looked += 1;
  }
  return undefined;
}

/** Numbers differ between repeats; what a number is part of, as n1, does not. */
const likeness = ({ event, text }: Item): string => `${event} ${text.replace(/(?<![\w])[\d.,]+/g, '#')}`;

function rowOf({ item, count, sinceMs, reporters }: Folded): FeedRow {
  const [, main = item.text, aside = null] = /^(.*?[.!]) (The election took .*)$/s.exec(item.text) ?? [];
  const reporter = item.from === null || isOfItself(item) ? null : [...reporters].sort().join(', ');
  const repeats = count === 1 ? null : `${count === 2 ? 'twice' : `${count} times`} in ${within(item.atMs - sinceMs)}`;
  return {
    kind: 'news',
    key: `${item.from} ${item.sequence} ${item.atMs}`,
    item,
    count,
    repeats,
    main,
    aside,
    reporter,
  };
}

/** Seconds with a tenth where they are few, without where they are many: `0.4 s`, `20 s`, `4 min`. */
function within(ms: number): string {
  if (ms >= 100_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 9_950 ? `${Math.max(0.1, ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

const quiet = (fromMs: number, untilMs: number): FeedRow => ({
  kind: 'quiet',
  key: `quiet ${fromMs}`,
  text: `${spell(untilMs - fromMs)} without a change`,
  fromMs,
  untilMs,
});

function spell(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return counted(minutes, 'minute');
  const hours = Math.round(minutes / 60);
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day');
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const names = (text: string, id: string): boolean =>
  text.split(/[^\p{L}\p{N}_.-]+/u).some((word) => word.replace(/\.+$/, '') === id);
