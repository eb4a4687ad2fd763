/** V8 has these. Other engines lack them. */
const { captureStackTrace } = Error as { captureStackTrace?: (target: object, above?: unknown) => void };

export const hasFrames = captureStackTrace !== undefined;

/** Makes an error without a stack, which costs six times as much as the rest of it: its caller is not on the stack, or gives it a stack itself. */
export function withoutFrames<Made extends Error>(make: () => Made): Made {
  const limit: unknown = Reflect.get(Error, 'stackTraceLimit');
  if (typeof limit !== 'number') return make();
  // Where a program has frozen `Error`, this does nothing.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** Gives an error the stack of whoever runs now, without the frames from `above` on. It becomes text only when somebody reads it. */
export function giveFrames<Given extends Error>(error: Given, above: unknown): Given {
  captureStackTrace?.(error, above);
  return error;
}
