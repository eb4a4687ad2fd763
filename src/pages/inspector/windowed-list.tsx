import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { px } from '../shared/px.js';

export interface WindowedListProps {
  readonly count: number;
  /** Pixels of a row; asked for each row at each drawing. */
  readonly heightOf: (at: number) => number;
  readonly row: (at: number) => ComponentChildren;
  /** The row that must be seen; null for none. With `isFollowing` the last one is. */
  readonly shown: number | null;
  readonly isFollowing: boolean;
  /** Changes whenever `shown` is to be brought into view again. */
  readonly shownFor: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const BEYOND = 200;

/** A list of any length: only the rows that are seen are in the document. */
export function WindowedList({ count, heightOf, row, shown, isFollowing, shownFor, attributes }: WindowedListProps) {
  const element = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  const isAtEnd = useRef(true);
  const starts = startsOf(count, heightOf);
  const total = starts[count] as number;
  const first = Math.max(0, upTo(starts, seen.top - BEYOND));
  const last = Math.min(count - 1, upTo(starts, seen.top + seen.height + BEYOND));
  const look = (): void => {
    const list = element.current;
    if (list === null) return;
    isAtEnd.current = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    setSeen((old) =>
      old.top === list.scrollTop && old.height === list.clientHeight
        ? old
        : { top: list.scrollTop, height: list.clientHeight },
    );
  };
  useLayoutEffect(() => {
    const list = element.current;
    if (list !== null && isFollowing && isAtEnd.current) list.scrollTop = list.scrollHeight;
    look();
  }, [total, isFollowing]);
  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return;
    if (isFollowing) list.scrollTop = list.scrollHeight;
    else if (shown !== null && shown >= 0) bringIntoView(list, starts[shown] as number, starts[shown + 1] as number);
    look();
  }, [shownFor, isFollowing, shown === null]);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  const rows: ComponentChildren[] = [];
  for (let at = first; at <= last; at += 1) rows.push(row(at));
  return (
    <div class="windowed" ref={element} onScroll={look} {...attributes}>
      <div class="whole" style={{ height: px(total) }} role="presentation">
        <div style={{ transform: `translateY(${px(starts[first] ?? 0)})` }} role="presentation">
          {rows}
        </div>
      </div>
    </div>
  );
}

function startsOf(count: number, heightOf: (at: number) => number): Float64Array {
  const starts = new Float64Array(count + 1);
  for (let at = 0; at < count; at += 1) starts[at + 1] = (starts[at] as number) + heightOf(at);
  return starts;
}

/** The last row that begins at or above a height. */
function upTo(starts: Float64Array, top: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= top) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function bringIntoView(list: HTMLElement, from: number, until: number): void {
  if (from >= list.scrollTop && until <= list.scrollTop + list.clientHeight) return;
  list.scrollTop = from < list.scrollTop ? from - 20 : until - list.clientHeight + 60;
}
