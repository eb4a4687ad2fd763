/** Bytes that are read of an answer that refuses a connection: no node says more. */
export const MOST_REFUSAL_CHARACTERS = 4_096;
const MOST_REASON_CHARACTERS = 1_024;

/**
 * The sentence with which a node refuses a connection, of an answer's Content-Type and body; empty where it gives none, or
 * where something else than a node has answered.
 */
export function refusalIn(contentType: string | undefined, body: string): string {
  if (contentType !== 'application/json') return '';
  try {
    const { message } = Object(Object(JSON.parse(body)).error) as { readonly message?: unknown };
    return typeof message === 'string' ? message.slice(0, MOST_REASON_CHARACTERS) : '';
  } catch {
    return '';
  }
}
