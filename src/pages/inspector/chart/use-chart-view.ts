import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChartLayout, LayoutPurpose, Size } from './layout.js';
import type { Rect } from './route-job.js';

/** The part of a chart that is seen, and its scale. */
export interface ChartView {
  readonly element: RefObject<HTMLDivElement | null>;
  readonly size: Size;
  readonly scale: number;
  readonly transform: string;
  readonly purpose: LayoutPurpose;
  /** The seen part, in the chart's own pixels. */
  readonly seen: Rect;
  readonly zoom: (factor: number) => void;
  readonly pan: (dx: number, dy: number) => void;
  /** All at once; and back to a size that can be read. */
  readonly fit: () => void;
  /** Moves so that a part is seen; does nothing where it is seen already. */
  readonly show: (part: Rect) => void;
  readonly centerAt: (x: number, y: number) => void;
  readonly handlers: Readonly<Record<string, (event: never) => void>>;
}

interface Placement {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const SMALLEST = 0.2;
const LARGEST = 3;
const WHEEL_STEP = 0.0016;

/** Size of the view, as the browser gives it. */
export function useSize(element: RefObject<HTMLElement | null>): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    const measure = (): void => {
      const { clientWidth: width, clientHeight: height } = watched;
      setSize((old) => (old.width === width && old.height === height ? old : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(watched);
    return () => observer.disconnect();
  });
  return size;
}

export interface ViewTarget {
  readonly element: RefObject<HTMLDivElement | null>;
  readonly size: Size;
  readonly purpose: LayoutPurpose;
  readonly setPurpose: (purpose: LayoutPurpose) => void;
  readonly layout: ChartLayout | null;
  /** The place of the lit states: where a chart is larger than its view, the view begins there. */
  readonly lit: () => Rect | null;
}

/** Moves and scales a chart, by wheel, pointer and commands; a new layout is shown from its beginning. */
export function useChartView({ element, size, purpose, setPurpose, layout, lit }: ViewTarget): ChartView {
  const [placement, setPlacement] = useState<Placement>({ x: 0, y: 0, scale: 1 });
  const current = useRef({ layout, size });
  current.current = { layout, size };
  useLayoutEffect(() => {
    if (layout === null) return;
    const begun = begin(layout, size);
    const part = lit();
    setPlacement(layout.isScrolled && part !== null ? shown(begun, part, size, layout) : begun);
  }, [layout]);
  const zoom = (factor: number, x = size.width / 2, y = size.height / 2): void =>
    setPlacement((old) => {
      const scale = Math.min(LARGEST, Math.max(SMALLEST, old.scale * factor));
      const grown = scale / old.scale;
      return { scale, x: x - (x - old.x) * grown, y: y - (y - old.y) * grown };
    });
  const pan = (dx: number, dy: number): void => setPlacement((old) => ({ ...old, x: old.x + dx, y: old.y + dy }));
  useEffect(() => {
    const watched = element.current;
    if (watched === null) return;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { left, top } = watched.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey)
        zoom(Math.exp(-event.deltaY * WHEEL_STEP * 4), event.clientX - left, event.clientY - top);
      else pan(-event.deltaX, -event.deltaY);
    };
    // Preact's own listeners for wheels are passive: they could not keep the page from being scaled.
    watched.addEventListener('wheel', wheel, { passive: false });
    return () => watched.removeEventListener('wheel', wheel);
  });
  const { x, y, scale } = placement;
  return {
    element,
    size,
    scale,
    purpose,
    transform: `translate(${x}px, ${y}px) scale(${scale})`,
    seen: { x: -x / scale, y: -y / scale, width: size.width / scale, height: size.height / scale },
    zoom: (factor) => zoom(factor),
    pan,
    fit: () => {
      const whole = layout === null ? placement : begin(layout, size);
      const isFitted = Math.abs(whole.x - x) + Math.abs(whole.y - y) + Math.abs(whole.scale - scale) * 100 < 1;
      if (layout?.isScrolled === true) setPurpose('fit');
      else if (isFitted && purpose === 'fit') setPurpose('read');
      else setPlacement(whole);
    },
    show: (part) => {
      if (layout !== null) setPlacement((old) => shown(old, part, size, layout));
    },
    centerAt: (atX, atY) =>
      setPlacement((old) => ({ ...old, x: size.width / 2 - atX * old.scale, y: size.height / 2 - atY * old.scale })),
    handlers: useDrag(pan),
  };
}

/** At the layout's own scale: in the middle, or from the top where it is larger than the view. */
function begin({ width, height, scale }: ChartLayout, view: Size): Placement {
  const x = Math.max(0, (view.width - width * scale) / 2);
  return { scale, x, y: Math.max(0, (view.height - height * scale) / 2) };
}

const SHOWN_WITH = 40;

/** Moved as far as a part needs to be seen. */
function shown(old: Placement, part: Rect, view: Size, layout: ChartLayout): Placement {
  const move = (offset: number, start: number, length: number, seen: number, whole: number): number => {
    const from = start * old.scale + offset;
    const until = from + length * old.scale;
    if (from >= 0 && until <= seen) return offset;
    const centered = seen / 2 - (start + length / 2) * old.scale;
    return whole * old.scale <= seen
      ? offset
      : Math.min(SHOWN_WITH, Math.max(seen - whole * old.scale - SHOWN_WITH, centered));
  };
  return {
    ...old,
    x: move(old.x, part.x, part.width, view.width, layout.width),
    y: move(old.y, part.y, part.height, view.height, layout.height),
  };
}

/** Moves with the pointer that is held down. */
function useDrag(pan: (dx: number, dy: number) => void): ChartView['handlers'] {
  const last = useRef<{ x: number; y: number } | null>(null);
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || (event.target as Element).closest('button') !== null) return;
      last.current = { x: event.clientX, y: event.clientY };
      (event.currentTarget as Element).setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      if (last.current === null) return;
      pan(event.clientX - last.current.x, event.clientY - last.current.y);
      last.current = { x: event.clientX, y: event.clientY };
    },
    onPointerUp: () => {
      last.current = null;
    },
  };
}
