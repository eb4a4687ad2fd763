import { createRequire } from 'node:module';
import type { z as Zod } from 'zod';

/**
 * Zod, read file by file. It is more than a hundred files, and Node.js opens all files of an ES module at the same time: under a low
 * limit of descriptors (`ulimit -n 80`) the process would end before it has begun.
 */
export const { z } = createRequire(import.meta.url)('zod') as { readonly z: typeof Zod };
