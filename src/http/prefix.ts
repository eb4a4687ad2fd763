/** Whether the node's routes can be mounted under it: `/quorate`, or '' for the top. */
export function isPrefix(value: unknown): value is string {
  return typeof value === 'string' && (value === '' || /^(\/[^/?#\s]+)+$/.test(value));
}
