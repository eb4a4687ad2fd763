/** Makes anew what documents show of the code, charts and the table of imports: `npm run docs`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';

/** Every chart of a node: the file that it is in, and its name there. */
const CHARTS = {
  replica: ['machines/index.js', 'replicaMachine'],
  electionManager: ['actors/election-manager.js', 'electionManager'],
  heartbeatManager: ['actors/heartbeat-manager.js', 'heartbeatManager'],
  replicator: ['actors/replicator.js', 'replicator'],
  link: ['actors/link.js', 'link'],
  leadership: ['machines/leadership.js', 'leadership'],
};

/** For charts that are made for a node: drawing them asks it for nothing but its settings. */
const NO_NODE = { actor: { getSnapshot: () => ({ context: { state: { settings: {} } } }) } };

/** All of them drawn; `load` imports a file by its path from the top. */
export async function drawings(load) {
  const { drawChart } = await load('src/inspect/draw-chart.js');
  const drawn = {};
  for (const [name, [file, exported]] of Object.entries(CHARTS)) {
    const machine = (await load(file))[exported];
    drawn[name] = drawChart(typeof machine === 'function' ? machine(NO_NODE) : machine);
  }
  const { importTable } = await load('test/architecture/import-table.js');
  return { ...drawn, write: drawWrite(await load('src/testing/index.js')), importTable: importTable() };
}

/** One write's messages, from a simulated run: `b` passes it on to the leader `a`. */
function drawWrite({ simulate }) {
  const cluster = simulate({ seed: 1, elections: 'told' });
  cluster.elect('a').untilServing().runFor(200);
  const lines = [];
  let isOver = false;
  cluster.network.drops = (from, to, message) => {
    const isHeartbeat = message.kind === 'append' && message.entries.length === 0;
    const isOfWrite = message.kind !== 'append-reply' || lines.some((line) => line.includes(`${to}->>${from}: append`));
    if (!isOver && !isHeartbeat && isOfWrite) lines.push(`  ${from}->>${to}: ${wordsFor(message)}`);
    isOver ||= message.kind === 'propose-reply';
    return false;
  };
  cluster.propose('x', 'b').runFor(30);
  const people = ['caller', 'b', 'a', 'c'].map((name) => `  participant ${name}`);
  const all = ['sequenceDiagram', ...people, '  caller->>b: propose x', ...lines, '  b->>caller: result'];
  return all.join('\n');
}

function wordsFor(message) {
  if (message.kind === 'append') return `append, ${message.entries.length} entry`;
  return message.kind === 'append-reply' ? 'durable here' : message.kind.replace('-', ' ');
}

const FILES = /(<!-- file: (\S+) -->\n)[\s\S]*?(<!-- end of file -->)/g;
const TABLES = /(<!-- table: (\w+) -->\n)[\s\S]*?(<!-- end of table -->)/g;
const MARKED = /(<!-- chart: (\w+) -->\n)[\s\S]*?(<!-- end of chart -->)/g;

/** The text with each marked place filled by the drawing of that name, or the file. */
export function withCharts(text, drawings) {
  const withFiles = text.replace(FILES, (_, begin, file, end) => {
    return `${begin}\`\`\`js\n${readFileSync(file, 'utf8')}\`\`\`\n${end}`;
  });
  const made = (name) => {
    if (drawings[name] === undefined) throw new Error(`there is no chart or table ${name}`);
    return drawings[name];
  };
  const withTables = withFiles.replace(TABLES, (_, begin, name, end) => `${begin}${made(name)}\n${end}`);
  return withTables.replace(MARKED, (_, begin, name, end) => {
    return `${begin}\`\`\`mermaid\n${made(name)}\n\`\`\`\n${end}`;
  });
}

/** Every document that may show a chart. */
export function documents(root = '.') {
  const inDocs = readdirSync(path.join(root, 'docs'), { recursive: true }).map((file) => path.join('docs', file));
  return ['README.md', ...inDocs].filter((file) => file.endsWith('.md'));
}

/** A file that is not built, and imports none of this repository. */
async function importTypeScript(file) {
  const source = readFileSync(file.replace(/\.js$/, '.ts'), 'utf8');
  const { code } = await transform(source, { loader: 'ts', format: 'esm' });
  return import(`data:text/javascript,${encodeURIComponent(code)}`);
}

async function main() {
  const drawn = await drawings((file) =>
    file.startsWith('test/') ? importTypeScript(file) : import(`../dist/${file}`),
  );
  for (const file of documents()) {
    const text = readFileSync(file, 'utf8');
    const current = withCharts(text, drawn);
    if (current !== text) writeFileSync(file, current);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
