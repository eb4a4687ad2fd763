import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { QuorateError } from '../errors/quorate-error.js';

/** The pages that `npm run build` has bundled: the dashboard of a cluster, and the inspector of any actor system. */
export type Page = 'dashboard' | 'inspector';

export interface PageOptions {
  /** The program that serves the page: one that `quorate inspector` serves knows of no cluster. */
  readonly servedBy: 'node' | 'inspector';
  /** host:port of the other servers that the page talks to. */
  readonly others: readonly string[];
}

interface Bundle {
  readonly folder: string;
  readonly pages: Readonly<Record<Page, { readonly script: string; readonly styles: readonly string[] }>>;
}

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
}

const TITLES: Readonly<Record<Page, string>> = { dashboard: 'Quorate', inspector: 'Quorate inspector' };
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};
/** Their names hold a hash of what is in them: they never change. */
const KEPT_FOR_EVER = 'public, max-age=31536000, immutable';
const HTML = 'text/html; charset=utf-8';

/**
 * Answers with a page. Nothing in it comes from anywhere but this server (its Content-Security-Policy says so to the browser), and it
 * connects to nobody but this server and `others`.
 */
export function sendPage(page: Page, options: PageOptions, message: IncomingMessage, response: ServerResponse): void {
  const body = Buffer.from(documentOf(page, options));
  send(
    message,
    response,
    { type: HTML, body, gzipped: undefined },
    {
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': policy(options.others),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Frame-Options': 'DENY',
    },
  );
}

/** Answers with a script or a style sheet of the pages. Throws NOT_FOUND where there is none of this name. */
export function sendAsset(name: string, message: IncomingMessage, response: ServerResponse): void {
  send(message, response, asset(name), {
    'Cache-Control': KEPT_FOR_EVER,
    'Cross-Origin-Resource-Policy': 'same-origin',
    Vary: 'Accept-Encoding',
  });
}

/** Whether the pages have a script or a style sheet of this name. */
export function isAsset(name: string): boolean {
  return assets.has(name) || (/^[\w.-]+$/.test(name) && existsSync(path.join(bundle().folder, 'assets', name)));
}

/** Inline scripts and styles are refused: what a value or a name might bring in is text and nothing else. */
function policy(others: readonly string[]): string {
  const connections = others.filter(isPlainAddress).flatMap((address) => [`http://${address}`, `ws://${address}`]);
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "worker-src 'self'",
    `connect-src 'self' ${connections.join(' ')}`.trim(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** A text that could end the directive of the policy is no address. */
const isPlainAddress = (address: string): boolean => /^[\w.[\]:-]+$/.test(address);

/** Relative addresses: the pages may be mounted under a prefix. */
function documentOf(page: Page, { servedBy }: PageOptions): string {
  const { script, styles } = bundle().pages[page];
  const sheets = styles.map((name) => `<link rel="stylesheet" href="assets/${name}">`).join('');
  return `<!doctype html>
<html lang="en" data-served-by="${servedBy}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${TITLES[page]}</title>
<link rel="icon" href="${ICON}">
${sheets}
<script type="module" src="assets/${script}"></script>
</head>
<body><div id="page"></div><noscript>This page needs JavaScript. Without it: quorate status --watch</noscript></body>
</html>
`;
}

/** Three nodes, one of which leads. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 18 18"><path d="M9 4.5 4 13M9 4.5 14 13" stroke="#868e9d" stroke-width="1.6"/><circle cx="9" cy="4" r="3" fill="#2f55d4"/><circle cx="3.6" cy="13.6" r="2.6" fill="#868e9d"/><circle cx="14.4" cy="13.6" r="2.6" fill="#868e9d"/></svg>',
)}`;

const assets = new Map<string, Asset>();

function asset(name: string): Asset {
  const known = assets.get(name);
  if (known !== undefined) return known;
  const { folder } = bundle();
  const file = path.join(folder, 'assets', name);
  const type = TYPES[path.extname(name)];
  // A name with a slash could lead out of the folder.
  if (!/^[\w.-]+$/.test(name) || type === undefined || !existsSync(file)) {
    throw new QuorateError('QUORATE_NOT_FOUND', `there is no file "${name}" among the pages: reload the page`);
  }
  const body = readFileSync(file);
  const made = { type, body, gzipped: gzipSync(body) };
  assets.set(name, made);
  return made;
}

function send(
  { headers, method }: IncomingMessage,
  response: ServerResponse,
  { type, body, gzipped }: Omit<Asset, 'gzipped'> & { readonly gzipped: Buffer | undefined },
  more: Readonly<Record<string, string>>,
): void {
  const isGzipped = gzipped !== undefined && /\bgzip\b/.test(String(headers['accept-encoding'] ?? ''));
  const sent = isGzipped ? gzipped : body;
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': sent.byteLength,
    'X-Content-Type-Options': 'nosniff',
    ...(isGzipped ? { 'Content-Encoding': 'gzip' } : {}),
    ...more,
  });
  response.end(method === 'HEAD' ? undefined : sent);
}

let found: Bundle | undefined;

function bundle(): Bundle {
  found ??= findBundle();
  return found;
}

/** In `dist` beside the compiled sources, wherever these are. */
function findBundle(): Bundle {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const pages = path.join(folder, 'dist', 'pages');
    const list = path.join(pages, 'pages.json');
    if (existsSync(list)) return { folder: pages, pages: JSON.parse(readFileSync(list, 'utf8')) as Bundle['pages'] };
    const parent = path.dirname(folder);
    if (parent === folder) break;
    folder = parent;
  }
  throw new QuorateError(
    'QUORATE_NOT_FOUND',
    'the pages are not in this installation: build them (npm run build), or leave the package as it was installed',
  );
}
