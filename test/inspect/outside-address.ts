import { networkInterfaces } from 'node:os';

/** An address of this machine that is not loopback: who connects to it comes from there, too. */
export function outsideAddress(): string {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((at) => at?.family === 'IPv4' && !at.internal)?.address;
  if (outside === undefined)
    throw new Error('expected a network interface beside loopback, got none: give the container one');
  return outside;
}
