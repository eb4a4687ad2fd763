import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const SYSTEM_BROWSERS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Starts the browser that the environment variable CHROMIUM names, or one that is installed on this machine, or else the
 * one that @sparticuz/chromium carries, which is unpacked into `directory`.
 */
export function launchBrowser(directory) {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== '' && !existsSync(named))
    throw new Error(`CHROMIUM should name a browser's executable, but there is no file ${named}: correct or unset it`);
  const installed = [named, ...SYSTEM_BROWSERS].find((file) => file !== undefined && file !== '' && existsSync(file));
  if (installed !== undefined) return chromium.launch({ executablePath: installed, args: ['--no-sandbox'] });
  const { executablePath, libraries } = unpackBrowser(directory);
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  // The package's own arguments would switch the browser's web security off, which is part of what is tested.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--headless=shell'], env });
}

/** In a process of its own, because the package reads its settings from the environment while it is imported. */
function unpackBrowser(directory) {
  const program = `
    import chromium from '@sparticuz/chromium';
    const executablePath = await chromium.executablePath();
    console.log(JSON.stringify({ executablePath, libraries: process.env.LD_LIBRARY_PATH }));`;
  // Only in this environment does the package unpack the system libraries that a bare machine lacks.
  const env = { ...process.env, TMPDIR: directory, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' };
  const args = ['--input-type=module', '--eval', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', env }));
}
