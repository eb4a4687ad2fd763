/** host:port that makes a URL. */
export function isEndpoint(text: string): boolean {
  return /^(\[[^\]]+\]|[^:/\s@]+):\d{1,5}$/.test(text) && URL.canParse(`http://${text}`);
}
