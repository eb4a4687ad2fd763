import { readFileSync, writeFileSync } from 'node:fs';

const REPORT = new URL('../docs/benchmarks.md', import.meta.url);

/** Puts one benchmark's table and plot into docs/benchmarks.md, between its marks. */
export function writeReport(name, { command, machine, etcdVersion, rows, measured }) {
  const runs = Math.max(...measured.map(({ run }) => run));
  const text = [
    `\`${command}\`: ${runs === 1 ? 'one run' : `medians of ${runs} runs`}${etcdVersion ? `, alternating with etcd ${etcdVersion}` : ''}; ${machine}.`,
    '',
    ...tableOf(rows),
    '',
    ...plotOf(rows),
  ].join('\n');
  const marked = new RegExp(`(<!-- bench: ${name} -->\n)[\\s\\S]*?(<!-- end of bench -->)`);
  writeFileSync(REPORT, readFileSync(REPORT, 'utf8').replace(marked, `$1${text}\n$2`));
}

function tableOf(rows) {
  const isPaired = rows.some(({ etcd }) => etcd !== undefined);
  const head = ['operation', 'in flight', 'value', 'per second', 'p50 ms', 'p99 ms'];
  const theirs = isPaired ? ['etcd per second', 'p50 ms', 'p99 ms', 'ratio'] : [];
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const figures = ({ opsPerSecond, p50Ms, p99Ms }) => [
    opsPerSecond.toLocaleString('en'),
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
  ];
  return [
    line([...head, ...theirs]),
    line([...head, ...theirs].map(() => '---')),
    ...rows.map(({ op, inFlight, size, quorate, etcd }) => {
      const ratio =
        etcd === undefined ? [] : [...figures(etcd), `${(quorate.opsPerSecond / etcd.opsPerSecond).toFixed(1)}×`];
      return line([op === 'get' ? 'linearizable get' : 'put', inFlight, `${size} B`, ...figures(quorate), ...ratio]);
    }),
  ];
}

function plotOf(rows) {
  const puts = rows.filter(({ op, size }) => op === 'put' && size === 256);
  if (puts.length < 3) return [];
  const series = (system) => puts.map((row) => row[system]?.opsPerSecond ?? 0).join(', ');
  return [
    '```mermaid',
    'xychart-beta',
    '  title "Puts of 256 bytes a second, by operations in flight (upper line: Quorate, lower: etcd)"',
    `  x-axis [${puts.map(({ inFlight }) => inFlight).join(', ')}]`,
    '  y-axis "puts/s"',
    `  line [${series('quorate')}]`,
    ...(puts[0].etcd === undefined ? [] : [`  line [${series('etcd')}]`]),
    '```',
  ];
}
