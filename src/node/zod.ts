import { createRequire } from 'node:module';
import type { z as Zod } from 'zod';

export type ZodLibrary = typeof Zod;

/**
 * Loads zod when options are checked first, so that importing the package does not wait for it. It is read file by file: zod has about
 * a hundred files, and Node.js opens all files of an ES module at the same time, for which a low limit of descriptors
 * (`ulimit -n 80`) leaves no room. In a bundle no such file exists; there the copy that was bundled is taken.
 */
export async function loadZod(): Promise<ZodLibrary> {
  try {
    return (createRequire(import.meta.url)('zod') as { readonly z: ZodLibrary }).z;
  } catch {
    return (await import('zod')).z;
  }
}
