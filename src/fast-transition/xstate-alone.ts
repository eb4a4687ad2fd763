const { process } = globalThis as {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
};

/**
 * Whether the environment variable `QUORATE_PLAIN_XSTATE` is `1`: then XState takes all events, as in the tests that hold
 * the two ways against each other. Read once, when this module is loaded; browsers have no such variable.
 */
export const isXStateAlone = process?.env?.QUORATE_PLAIN_XSTATE === '1';
