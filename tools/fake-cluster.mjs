import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The made-up cluster of the pages' tests, compiled into `directory`. It imports the built product, which finds the pages. */
export async function importFakeCluster(directory) {
  const outfile = path.join(directory, 'fake-cluster.mjs');
  const product = {
    name: 'product',
    setup: ({ onResolve }) =>
      onResolve({ filter: /^\.\.\/\.\.\/src\// }, (imported) => ({
        path: pathToFileURL(path.join(ROOT, 'dist', imported.path.slice('../../'.length))).href,
        external: true,
      })),
  };
  const entryPoints = [path.join(ROOT, 'test', 'pages', 'fake-cluster.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', plugins: [product] });
  return await import(pathToFileURL(outfile).href);
}
