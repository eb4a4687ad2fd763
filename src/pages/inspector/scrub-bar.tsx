import './scrub-bar.css';
import { useEffect, useRef } from 'preact/hooks';
import { grouped, timeOfDay } from '../../report/phrases.js';
import { fractionOf } from '../shared/format.js';
import type { ActorHistory, Position } from './model/actor-history.js';
import { type Band, density, stateLanes, type TimeSpan, ticks } from './model/bands.js';
import type { SystemHistory } from './model/system-history.js';
import { spanOf, type TimeWindow, zoomed } from './model/time-window.js';

export interface ScrubBarProps {
  readonly system: SystemHistory;
  readonly actor: ActorHistory | null;
  readonly position: Position;
  readonly isLive: boolean;
  readonly window: TimeWindow;
  readonly setWindow: (window: TimeWindow) => void;
  readonly scrub: (position: Position) => void;
  readonly step: (by: 1 | -1) => void;
  readonly goLive: () => void;
}

const BARS = 120;

/** The time that is kept: the selected actor's states as bands, how much happened, and the moment that is shown. */
export function ScrubBar(props: ScrubBarProps) {
  const { system, position, isLive, step, goLive } = props;
  const atMs = system.timeOf(position);
  const kept = keptText(system);
  return (
    <footer class="scrub-bar">
      <div class="steps">
        <button type="button" class="button" aria-label="Step back" onClick={() => step(-1)}>
          ◂ <kbd class="key">,</kbd>
        </button>
        <button type="button" class="button" aria-label="Step forward" onClick={() => step(1)}>
          <kbd class="key">.</kbd> ▸
        </button>
        <output class="now mono">{atMs === null ? '–' : isLive ? 'live' : timeOfDay(atMs) + fractionOf(atMs)}</output>
      </div>
      <Track {...props} />
      <div class="kept">
        <span>{kept}</span>
        <button type="button" class={isLive ? 'button primary' : 'button live'} aria-pressed={isLive} onClick={goLive}>
          Live <kbd class="key">l</kbd>
        </button>
      </div>
    </footer>
  );
}

function keptText(system: SystemHistory): string {
  const { times } = system;
  const minutes = Math.floor(((times.at(-1) ?? 0) - (times[0] ?? 0)) / 60_000);
  return `${grouped(times.length)} events kept${minutes === 0 ? '' : ` · ${minutes} min`}`;
}

function Track({ system, actor, position, isLive, window, setWindow, scrub, step }: ScrubBarProps) {
  const element = useRef<HTMLDivElement>(null);
  const firstMs = system.times[0] ?? 0;
  const lastMs = system.times.at(-1) ?? 0;
  const span = spanOf(window, firstMs, lastMs);
  const length = span.untilMs - span.fromMs;
  const atMs = system.timeOf(position) ?? lastMs;
  const fractionAt = (clientX: number): number => {
    const { left, width } = (element.current as HTMLElement).getBoundingClientRect();
    return Math.min(1, Math.max(0, (clientX - left) / width));
  };
  const go = ({ clientX, buttons }: PointerEvent): void => {
    if (buttons === 1) scrub(system.positionAt(span.fromMs + length * fractionAt(clientX)));
  };
  useEffect(() => {
    const track = element.current;
    if (track === null) return;
    const wheel = (event: WheelEvent): void => {
      event.preventDefault();
      setWindow(zoomed(span, Math.exp(event.deltaY * 0.002), fractionAt(event.clientX), firstMs, lastMs));
    };
    track.addEventListener('wheel', wheel, { passive: false });
    return () => track.removeEventListener('wheel', wheel);
  });
  const lanes = actor === null ? [] : stateLanes(system, actor, span);
  const head = Math.min(1, Math.max(0, (atMs - span.fromMs) / length));
  return (
    <div
      class={lanes.length > 1 ? 'track several' : 'track'}
      ref={element}
      role="slider"
      tabIndex={0}
      aria-label="Moment that is shown"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, system.last - system.first)}
      aria-valuenow={Math.max(0, position - system.first)}
      aria-valuetext={isLive ? 'live' : timeOfDay(atMs) + fractionOf(atMs)}
      onPointerDown={(event) => {
        element.current?.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={go}
      onKeyDown={(event) => {
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        event.stopPropagation();
        step(event.key === 'ArrowLeft' ? -1 : 1);
      }}
    >
      <Lanes lanes={lanes} />
      <Density times={system.times} span={span} />
      <Axis span={span} isLive={isLive && window.untilMs === null} />
      <div class="head-line" style={{ left: `${head * 100}%` }} />
    </div>
  );
}

interface SpanProps {
  readonly span: TimeSpan;
}

function Lanes({ lanes }: { readonly lanes: readonly (readonly Band[])[] }) {
  return (
    <div class={lanes.length > 1 ? 'lanes several' : 'lanes'}>
      {lanes.map((bands, lane) => (
        <div class="bands" key={String(lane)}>
          {bands.map(({ from, until, label, path, tone }) => (
            <div
              key={`${from} ${path}`}
              class={`band ${tone}`}
              title={path}
              style={{ left: `${from * 100}%`, width: `calc(${(until - from) * 100}% - 1px)` }}
            >
              <span>{label}</span>
            </div>
          ))}
        </div>
      ))}
    </div>
  );
}

function Density({ times, span }: SpanProps & { readonly times: readonly number[] }) {
  const counts = density(times, span, BARS);
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, at) => {
    const height = count === 0 ? 0 : 2 + (10 * Math.log1p(count)) / Math.log1p(most);
    return `M${at * 10} 12V${12 - height}h9V12Z`;
  });
  return (
    <svg class="density" viewBox={`0 0 ${BARS * 10} 12`} preserveAspectRatio="none" aria-hidden="true">
      <path d={bars.join('')} />
    </svg>
  );
}

function Axis({ span, isLive }: SpanProps & { readonly isLive: boolean }) {
  const { stepMs, atMs } = ticks(span, 5);
  const length = span.untilMs - span.fromMs;
  // A label at either end would stand over what is beside the bar.
  const fits = (at: number): boolean => at > 0.04 && at < (isLive ? 0.9 : 0.97);
  const shown = atMs.filter((at) => fits((at - span.fromMs) / length));
  return (
    <div class="axis" aria-hidden="true">
      {shown.map((at, number) => (
        <span key={at} style={{ left: `${((at - span.fromMs) / length) * 100}%` }}>
          {tickText(at, stepMs, number === 0)}
        </span>
      ))}
      {isLive ? <span class="end">now</span> : null}
    </div>
  );
}

function tickText(atMs: number, stepMs: number, isFirst: boolean): string {
  const digits = stepMs >= 1_000 ? 0 : stepMs >= 100 ? 2 : stepMs >= 10 ? 3 : 4;
  const text = timeOfDay(atMs) + (digits === 0 ? '' : fractionOf(atMs).slice(0, digits));
  return isFirst || stepMs >= 1_000 ? text : text.slice(6);
}
