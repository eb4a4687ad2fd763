export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The parts of host:port or [IPv6]:port; undefined where the text is neither. Port 0 stands for any free one. */
export function parseAddress(address: string): HostAndPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]\s/\\?#@]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
