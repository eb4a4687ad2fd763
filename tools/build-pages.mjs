/**
 * Bundles the pages into dist/pages: scripts and style sheets under names that hold a hash of what is in them, so that browsers may keep
 * them for ever, and `pages.json`, which says which files each page needs. Part of `npm run build`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = path.join(ROOT, 'dist', 'pages');
const PAGES = ['dashboard', 'inspector'];

const SHARED = {
  absWorkingDir: ROOT,
  outdir: OUT,
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  assetNames: 'assets/[name]-[hash]',
  bundle: true,
  format: 'esm',
  target: ['es2022'],
  minify: true,
  metafile: true,
  legalComments: 'linked',
  tsconfig: 'tsconfig.pages.json',
};

rmSync(OUT, { recursive: true, force: true });
// A worker is a file of its own, because the pages' Content-Security-Policy lets no other run; the page that starts it has to know its name.
const worker = await build({ ...SHARED, entryPoints: ['src/pages/inspector/chart/route-worker.ts'] });
const { metafile } = await build({
  ...SHARED,
  entryPoints: Object.fromEntries(PAGES.map((page) => [page, `src/pages/${page}/main.tsx`])),
  splitting: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  define: { ROUTE_WORKER: JSON.stringify(`./${name(Object.keys(worker.metafile.outputs)[0])}`) },
});

const pages = Object.fromEntries(
  Object.entries(metafile.outputs)
    .filter(([, { entryPoint }]) => entryPoint?.endsWith('/main.tsx'))
    .map(([file, { entryPoint, cssBundle }]) => [
      path.basename(path.dirname(entryPoint)),
      { script: name(file), styles: cssBundle === undefined ? [] : [name(cssBundle)] },
    ]),
);
mkdirSync(OUT, { recursive: true });
writeFileSync(path.join(OUT, 'pages.json'), `${JSON.stringify(pages, null, 2)}\n`);

/** Under /assets/. */
function name(file) {
  return path.basename(file);
}
