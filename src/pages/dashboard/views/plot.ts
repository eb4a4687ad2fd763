import uPlot from 'uplot';
import type { Grid } from '../model/grid.js';
import { gridOf } from '../model/grid.js';
import type { Mark } from '../model/history.js';
import { HISTORY_MS } from '../model/history.js';
import { apart } from '../model/marks.js';
import type { Size } from '../model/positions.js';
import { timeTicks } from '../model/time-ticks.js';
import type { ChartLine, ChartProps } from './chart-panel.js';

/** Colours of the page, which canvases do not take from style sheets by themselves. */
type Colours = Readonly<Record<'accent' | 'plain' | 'danger' | 'wait' | 'grid' | 'base' | 'text', string>>;

/** In px: marks that are closer are drawn as one. */
const LEAST_BETWEEN_MARKS = 6;
const OLDER_MARK_ALPHA = 0.25;
/** The room under 0, as a share of the height. */
const BELOW_ZERO = 0.012;
const TICK = 4;
const WIDTH = 1.5;
/** A level line that does not fill whole pixels is pale. */
const FLAT_WIDTH = 2;
const ABOVE = 10;
const BELOW = 18;
const FONT = '10px ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "Liberation Mono", monospace';
const MARK_FONT =
  '11px -apple-system, "Segoe UI", Inter, Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif';

/** One chart on a canvas. */
export class Plot {
  readonly #element: HTMLElement;
  readonly #point: (at: number | null) => void;
  #chart: uPlot | undefined;
  #shape = '';
  #props: ChartProps | undefined;
  #colours: Colours | undefined;

  /** `point` hears which of the values the pointer is at. */
  constructor(element: HTMLElement, point: (at: number | null) => void) {
    this.#element = element;
    this.#point = point;
  }

  draw(props: ChartProps, size: Size, isDark: boolean): void {
    this.#props = props;
    const shape = `${isDark} ${props.lines.map(({ label, tone, isDashed }) => `${label} ${tone} ${isDashed === true}`).join()}`;
    const data = dataOf(props);
    if (this.#chart === undefined || shape !== this.#shape) {
      this.#chart?.destroy();
      this.#colours = coloursOf(this.#element);
      this.#chart = new uPlot(this.#options(props, size, this.#colours), data, this.#element);
      this.#shape = shape;
      return;
    }
    if (this.#chart.width !== size.width || this.#chart.height !== size.height) this.#chart.setSize(size);
    this.#chart.setData(data);
  }

  destroy(): void {
    this.#chart?.destroy();
    this.#chart = undefined;
  }

  #options({ lines, isFlat = false }: ChartProps, { width, height }: Size, colours: Colours): uPlot.Options {
    return {
      width,
      height,
      padding: [ABOVE, 0, BELOW, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false } },
      scales: {
        x: { time: false, range: (_, least, most) => [least, most] },
        // A line at 0 is wholly inside, and not half behind the axis.
        y: { range: () => [-BELOW_ZERO * this.#grid.top, this.#grid.top] },
      },
      axes: [{ show: false }, { show: false }],
      series: [{}, ...lines.map((line) => seriesOf(line, colours, isFlat ? FLAT_WIDTH : WIDTH))],
      hooks: {
        drawClear: [(chart) => this.#drawGrid(chart, colours), (chart) => this.#drawMarks(chart, colours)],
        draw: [(chart) => this.#drawLabels(chart, colours)],
        setCursor: [({ cursor: { idx } }) => this.#point(idx ?? null)],
      },
    };
  }

  #greatest(): number {
    return Math.max(0, ...(this.#props?.lines ?? []).flatMap(({ values }) => values.map((value) => value ?? 0)));
  }

  get #grid(): Grid {
    return gridOf(this.#greatest(), this.#props?.isCount === true);
  }

  #drawGrid(chart: uPlot, colours: Colours): void {
    const { ctx, bbox } = chart;
    for (const value of [0, ...this.#grid.lines]) {
      const y = Math.round(chart.valToPos(value, 'y', true)) + 0.5;
      stroke(ctx, value === 0 ? colours.base : colours.grid, [bbox.left, y, bbox.left + bbox.width, y]);
    }
  }

  /** The values above their lines, at the left; and times below. */
  #drawLabels(chart: uPlot, { text }: Colours): void {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.scale(ratio, ratio);
    ctx.fillStyle = text;
    ctx.font = FONT;
    ctx.textBaseline = 'bottom';
    const format = this.#props?.format ?? String;
    for (const value of this.#grid.lines) {
      ctx.fillText(format(value).replace('.0 ', ' '), bbox.left / ratio, chart.valToPos(value, 'y', true) / ratio - 1);
    }
    ctx.restore();
    this.#drawTimes(chart);
  }

  /** Full minutes, counted from now: the newest value stands at the right end. */
  #drawTimes(chart: uPlot): void {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    const times = this.#props?.times ?? [];
    const nowMs = times.at(-1) ?? 0;
    const left = bbox.left / ratio;
    const right = (bbox.left + bbox.width) / ratio;
    const below = (bbox.top + bbox.height) / ratio;
    ctx.save();
    ctx.scale(ratio, ratio);
    ctx.fillStyle = this.#colours?.text ?? '';
    ctx.font = FONT;
    ctx.textBaseline = 'top';
    for (const { agoMs, label } of timeTicks(HISTORY_MS, right - left)) {
      // The oldest value is a second younger than the time that is shown is long.
      const x = Math.max(left, chart.valToPos(nowMs - agoMs, 'x', true) / ratio);
      stroke(ctx, this.#colours?.base ?? '', [x, below, x, below + TICK]);
      if (label === null) continue;
      ctx.textAlign = agoMs === 0 ? 'right' : x === left ? 'left' : 'center';
      ctx.fillText(label, x, below + TICK + 3);
    }
    ctx.restore();
  }

  /** Elections as vertical lines behind the data; the newest has its word, older ones are pale. */
  #drawMarks(chart: uPlot, colours: Colours): void {
    const { ctx, bbox } = chart;
    const ratio = devicePixelRatio;
    const xOf = ({ atMs }: Mark): number => Math.round(chart.valToPos(atMs, 'x', true));
    const marks = apart(this.#props?.marks ?? [], xOf, LEAST_BETWEEN_MARKS * ratio);
    marks.forEach((mark, at) => {
      const { label, tone } = mark;
      const x = xOf(mark);
      if (x < bbox.left) return;
      const isNewest = at === marks.length - 1;
      ctx.globalAlpha = isNewest ? 1 : OLDER_MARK_ALPHA;
      // Older lines begin below the newest one's word.
      const top = bbox.top + (isNewest ? -ABOVE : 4) * ratio;
      stroke(ctx, colours[tone], [x, top, x, bbox.top + bbox.height], ratio);
      ctx.globalAlpha = 1;
      if (!isNewest) return;
      ctx.save();
      ctx.scale(ratio, ratio);
      ctx.fillStyle = colours[tone];
      ctx.font = MARK_FONT;
      ctx.textBaseline = 'top';
      const isLeft = x - bbox.left > 70 * ratio;
      ctx.textAlign = isLeft ? 'right' : 'left';
      ctx.fillText(label, x / ratio + (isLeft ? -4 : 4), bbox.top / ratio - ABOVE + 1);
      ctx.restore();
    });
  }
}

function stroke(
  ctx: CanvasRenderingContext2D,
  colour: string,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  width = 1,
): void {
  ctx.beginPath();
  // A dashed series leaves its dashes behind.
  ctx.setLineDash([]);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}

function seriesOf({ tone, isFilled, isDashed }: ChartLine, colours: Colours, width: number): uPlot.Series {
  return {
    stroke: colours[tone],
    width,
    ...(isDashed === true ? { dash: [4, 3] } : {}),
    points: { show: false },
    spanGaps: false,
    ...(isFilled === true ? { fill: `${colours[tone]}18` } : {}),
  };
}

function dataOf({ times, lines }: ChartProps): uPlot.AlignedData {
  const rows = lines.map(({ values }) => (values.length === 0 ? times.map(() => null) : [...values]));
  return [[...times], ...rows] as uPlot.AlignedData;
}

function coloursOf(element: HTMLElement): Colours {
  const style = getComputedStyle(element);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    accent: value('--accent'),
    plain: value('--t2'),
    danger: value('--danger'),
    wait: value('--wait'),
    grid: value('--line'),
    base: value('--line2'),
    text: value('--t3'),
  };
}
