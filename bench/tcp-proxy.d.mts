export interface Direction {
  passes: boolean;
  bytesPerSecond: number;
  bytes: number;
}

export class TcpProxy {
  readonly there: Direction;
  readonly back: Direction;
  constructor(port: number, host?: string);
  listen(port?: number, host?: string): Promise<number>;
  set(there: Partial<Omit<Direction, 'bytes'>>, back?: Partial<Omit<Direction, 'bytes'>>): void;
  close(): Promise<void>;
}
