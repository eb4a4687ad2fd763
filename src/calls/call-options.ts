import { badRequest } from '../errors/quorate-error.js';

/**
 * For callers without types: an option that nobody knows would silently not count, and a guarded write become a plain one.
 * Throws BAD_REQUEST.
 */
export function checkCallOptions(options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null)
    throw badRequest(`expected options to be an object, as in { ${names[0]}: … }, got ${String(options)}`);
  for (const name in options) {
    if (!names.includes(name)) throw badRequest(`there is no option ${name}: the options are ${names.join(', ')}`);
  }
  const { signal } = options as { readonly signal?: unknown };
  if (signal === undefined || typeof (signal as AbortSignal | null)?.addEventListener === 'function') return;
  throw badRequest(
    'expected the option signal to be an AbortSignal, as an AbortController has one, got something else',
  );
}
