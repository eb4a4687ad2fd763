import { badRequest } from '../seams/errors.js';

/**
 * Of callers without types: an option that nobody knows would silently not count, and a guarded write become a plain one.
 * Throws BAD_REQUEST.
 */
export function checkCallOptions(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw badRequest(`options are an object, as in { ${names[0]}: … }, not ${String(options)}`);
  for (const name in options) {
    if (!names.includes(name)) throw badRequest(`there is no option ${name}: ${names.join(', ')} would do`);
  }
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined || typeof (signal as AbortSignal | null)?.addEventListener === 'function') return;
  throw badRequest("the option signal is no AbortSignal: an AbortController's would do");
}
