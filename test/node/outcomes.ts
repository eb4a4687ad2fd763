import { QuorateError } from '../../src/index.js';

/** To be called at once: nobody else handles the rejection. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof QuorateError ? error.code : String(error);
}
