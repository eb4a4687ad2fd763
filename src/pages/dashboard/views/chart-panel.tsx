import { useEffect, useRef, useState } from 'preact/hooks';
import { useMedia, useSize } from '../hooks.js';
import type { Mark } from '../model/history.js';
import { loadPlot } from './load-plot.js';
import type { Plot } from './plot.js';

export interface ChartLine {
  readonly label: string;
  /** One for each time; empty where nothing is known. */
  readonly values: readonly (number | null)[];
  readonly now: number | null;
  readonly tone: 'accent' | 'plain' | 'danger';
  readonly isFilled?: boolean;
  readonly isDashed?: boolean;
}

export interface ChartProps {
  readonly title: string;
  /** The text that appears when the pointer rests on the title. */
  readonly tip?: string;
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly marks: readonly Mark[];
  readonly format: (value: number) => string;
  /** There are no fractions of what is counted. */
  readonly isCount?: boolean;
  /** Its lines are level for most of the time. */
  readonly isFlat?: boolean;
}

const FETCHED_AGAIN_AFTER_MS = 2_000;

/** A chart with its values as the legend: the present ones, or those under the pointer. */
export function ChartPanel(props: ChartProps) {
  const { title, tip, lines, times, format } = props;
  const [element, size] = useSize();
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const [pointed, setPointed] = useState<number | null>(null);
  const [module, setModule] = useState<typeof import('./plot.js')>();
  const plot = useRef<Plot | undefined>(undefined);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (): void => {
      timer = setTimeout(load, FETCHED_AGAIN_AFTER_MS);
    };
    const load = (): void => void loadPlot().then(setModule, again);
    load();
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (module === undefined || element.current === null || size === null || size.height < 30) return;
    if (plot.current === undefined) plot.current = new module.Plot(element.current, setPointed);
    plot.current.draw(props, size, isDark);
  }, [
    module,
    times,
    size?.width,
    size?.height,
    isDark,
    lines.map(({ label, tone, isDashed }) => `${label}${tone}${isDashed}`).join(),
    props.marks,
  ]);
  useEffect(() => () => plot.current?.destroy(), []);
  const secondsAgo = pointed === null ? null : times.length - pointed;
  return (
    <section class="panel chart" aria-label={title}>
      <header>
        <h2 title={tip}>{title}</h2>
      </header>
      <ul class="chart-legend">
        {lines.map((line) => (
          <li key={line.label} class={line.isDashed === true ? `${line.tone} dashed` : line.tone}>
            <i aria-hidden="true" />
            {line.label} <strong class="mono">{textOf(line, pointed, format)}</strong>
          </li>
        ))}
        {lines.length === 0 ? <li>no other node</li> : null}
        {secondsAgo === null ? null : <li class="pointed">{secondsAgo <= 1 ? 'now' : `${ago(secondsAgo)} ago`}</li>}
      </ul>
      <div class="chart-area" ref={element} aria-hidden="true" />
    </section>
  );
}

function textOf({ values, now }: ChartLine, pointed: number | null, format: ChartProps['format']): string {
  const value = pointed === null ? now : (values[pointed] ?? null);
  return value === null ? '–' : format(value);
}

const ago = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
