import type { QuorateErrorCode } from '../../src/errors/quorate-error.js';

export const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
export const codeOf = (call: Promise<unknown>): Promise<QuorateErrorCode | undefined> => {
  return call.then(
    () => undefined,
    (error: { code: QuorateErrorCode }) => error.code,
  );
};
