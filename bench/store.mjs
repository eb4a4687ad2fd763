/**
 * The key-value store alone beside the same as a Map: puts per second, memory, and the longest pause of the event loop with an image being
 * written to a file meanwhile and without. Each design has a process of its own, one after the other; ratios count.
 * `npm run build && node bench/store.mjs [keys] [value bytes] [seconds]`, by default 2,000,000 keys of 256 bytes and 10 s. On Linux only.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import Table from 'cli-table3';

const WORKER = fileURLToPath(new URL('store-worker.mjs', import.meta.url));
const [keys = '2000000', valueBytes = '256', seconds = '10'] = process.argv.slice(2);

async function measure(design) {
  process.stderr.write(`${design}\n`);
  const flags = ['--max-old-space-size=16000', WORKER, design, keys, valueBytes, seconds];
  const { stdout } = await promisify(execFile)(process.execPath, flags, { env: { ...process.env, NO_COLOR: '1' } });
  return JSON.parse(stdout);
}

const map = await measure('map');
const pages = await measure('pages');

const decimal = (value) => value.toFixed(value < 10 ? 2 : 0);
const perSecond = (value) => Math.round(value).toLocaleString('en');
const rows = [
  ['puts of new keys a second', ({ filling }) => filling.putsPerSecond, perSecond],
  ['overwrites a second, keys at random', ({ plain }) => plain.putsPerSecond, perSecond],
  ['the same while an image is written', ({ capturing }) => capturing.putsPerSecond, perSecond],
  ['longest pause, ms', ({ plain }) => plain.longestPauseMs, decimal],
  ['the same while an image is written', ({ capturing }) => capturing.longestPauseMs, decimal],
  ['taking the capture, ms', ({ capturing }) => capturing.image.captureMs, decimal],
  ['writing the image, MB/s', ({ capturing }) => capturing.image.bytes / capturing.image.seconds / 1e6, decimal],
  ['resident memory per data, new keys', ({ residentFilled, data }) => residentFilled / data, decimal],
  ['the same after overwrites and an image', ({ residentAfter, data }) => residentAfter / data, decimal],
  ['the most of it', ({ residentMost, data }) => residentMost / data, decimal],
];
const table = new Table({ head: ['', 'Map', 'pages', 'ratio'], style: { head: [], border: [] } });
for (const [name, of, shown] of rows)
  table.push([name, shown(of(map)), shown(of(pages)), decimal(of(pages) / of(map))]);
process.stdout.write(
  `${Number(keys).toLocaleString('en')} keys, values of ${valueBytes} bytes, Node.js ${process.version}\n${table}\n`,
);
