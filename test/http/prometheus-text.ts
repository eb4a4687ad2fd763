/** A metric of the text that Prometheus reads. */
export interface ParsedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  /** By name and labels, as they are written. */
  readonly samples: Map<string, number>;
}

/** Throws for a line that is none of that format, and for a sample that belongs to no metric. */
export function parseMetrics(text: string): ReadonlyMap<string, ParsedMetric> {
  const metrics = new Map<string, ParsedMetric>();
  let help = '';
  let current: ParsedMetric | undefined;
  for (const line of text.split('\n').filter((one) => one !== '')) {
    const described = /^# (HELP|TYPE) ([a-zA-Z_:][\w:]*) (.*)$/.exec(line);
    if (described?.[1] === 'HELP') help = described[3] as string;
    else if (described !== null) {
      const [, , name = '', type = ''] = described;
      if (metrics.has(name)) throw new Error(`${name} is there twice`);
      current = { name, help, type, samples: new Map() };
      metrics.set(name, current);
    } else addSample(current, line);
  }
  return metrics;
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})? (NaN|[+-]Inf|[-+\d.e]+)$/;

function addSample(metric: ParsedMetric | undefined, line: string): void {
  const [, name = '', labels = '', value] = SAMPLE.exec(line) ?? [];
  const belongs = metric !== undefined && name.replace(suffixesOf(metric), '') === metric.name;
  if (!belongs) throw new Error(`no sample of ${metric?.name}: ${line}`);
  metric.samples.set(`${name}${labels}`, Number(value));
}

const suffixesOf = ({ type }: ParsedMetric): RegExp => (type === 'histogram' ? /_(bucket|sum|count)$/ : /$^/);

const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
/** Units that are no base units, as `promtool check metrics` has them, and how they are abbreviated. */
const OTHER_UNITS =
  /_(milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|gigabytes|bits|percent|ms|us|ns|s|sec|kb|mb|gb)(_|$)/;

/** What `promtool check metrics` finds fault with, as sentences. */
export function lint(metrics: readonly ParsedMetric[]): readonly string[] {
  return metrics.flatMap((metric) => problemsWith(metric).map((problem) => `${metric.name}: ${problem}`));
}

function problemsWith({ name, help, type, samples }: ParsedMetric): readonly string[] {
  const has = (problem: string, holds: boolean): readonly string[] => (holds ? [problem] : []);
  const labels = [...samples.keys()].flatMap((sample) =>
    [...sample.matchAll(/[{,](\w+)="/g)].map(([, label]) => label),
  );
  const isCounted = type === 'histogram' || type === 'summary';
  return [
    ...has('no help text', help.trim() === ''),
    ...has('an unknown type', !TYPES.includes(type)),
    ...has('a counter should end in _total', type === 'counter' && !name.endsWith('_total')),
    ...has('only a counter should end in _total', type !== 'counter' && name.endsWith('_total')),
    ...has('a reserved suffix', !isCounted && /_(bucket|sum|count)$/.test(name)),
    ...has(
      'a reserved label',
      (type !== 'histogram' && labels.includes('le')) || (type !== 'summary' && labels.includes('quantile')),
    ),
    ...has('the type in its name', /_(counter|gauge|histogram|summary)(_|$)/.test(name)),
    ...has('a colon is for recording rules', name.includes(':')),
    ...has('camelCase', /[a-z][A-Z]/.test(name) || labels.some((label) => /[a-z][A-Z]/.test(label ?? ''))),
    ...has('no base unit', OTHER_UNITS.test(name)),
    ...has('a duration without its unit', /_duration/.test(name) && !name.endsWith('_seconds')),
  ];
}
