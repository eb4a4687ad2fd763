import type { Browser } from 'playwright-core';

export function launchBrowser(directory: string): Promise<Browser>;
