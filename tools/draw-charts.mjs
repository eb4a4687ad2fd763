/** Draws the charts anew wherever a document shows one: `npm run docs`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** Every chart of a node: the file that it is in, and its name there. */
const CHARTS = {
  replica: ['machines/index.js', 'replicaMachine'],
  electionManager: ['actors/election-manager.js', 'electionManager'],
  heartbeatManager: ['actors/heartbeat-manager.js', 'heartbeatManager'],
  logWriter: ['actors/log-writer.js', 'logWriter'],
  applier: ['actors/applier.js', 'applier'],
  replicator: ['actors/replicator.js', 'replicator'],
  link: ['actors/link.js', 'link'],
};

/** All of them drawn; `load` imports a file by its path from the top. */
export async function drawings(load) {
  const { drawChart } = await load('src/inspect/draw-chart.js');
  const drawn = {};
  for (const [name, [file, machine]] of Object.entries(CHARTS)) drawn[name] = drawChart((await load(file))[machine]);
  return drawn;
}

const MARKED = /(<!-- chart: (\w+) -->\n)[\s\S]*?(<!-- end of chart -->)/g;

/** The text with each marked place filled by the drawing of that name. */
export function withCharts(text, drawings) {
  return text.replace(MARKED, (_, begin, name, end) => {
    const drawing = drawings[name];
    if (drawing === undefined) throw new Error(`there is no chart ${name}`);
    return `${begin}\`\`\`mermaid\n${drawing}\n\`\`\`\n${end}`;
  });
}

/** Every document that may show a chart. */
export function documents(root = '.') {
  const inDocs = readdirSync(path.join(root, 'docs'), { recursive: true }).map((file) => path.join('docs', file));
  return ['README.md', ...inDocs].filter((file) => file.endsWith('.md'));
}

async function main() {
  const drawn = await drawings((file) => import(`../dist/${file}`));
  for (const file of documents()) {
    const text = readFileSync(file, 'utf8');
    const current = withCharts(text, drawn);
    if (current !== text) writeFileSync(file, current);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
