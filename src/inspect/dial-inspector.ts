import { WebSocket } from 'ws';
import { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import type { InspectionHub } from './hub.js';
import { SocketViewer } from './socket-viewer.js';
import { INSPECTION_PROTOCOL } from './stream.js';

const AGAIN_AFTER_MS = 2_000;

/**
 * Tells a running inspector of this process's actors, whenever it is there: it is dialed again every two seconds. The
 * connection keeps no process from ending, nor do the timers of an `idleClock`.
 */
export function dialInspector(url: string, hub: InspectionHub, clock: Clock): { url: string; close(): Promise<void> } {
  const target = targetOf(url);
  let socket: WebSocket | undefined;
  let timer: unknown;
  let isOver = false;
  const dial = (): void => {
    const dialed = new WebSocket(target, INSPECTION_PROTOCOL, { perMessageDeflate: false });
    socket = dialed;
    let leave = (): void => undefined;
    dialed.on('upgrade', ({ socket: connection }) => void connection.unref());
    dialed.once('open', () => {
      const viewer = new SocketViewer(dialed);
      const withdraw = hub.admit(viewer);
      leave = () => {
        viewer.stop();
        withdraw();
      };
    });
    dialed.on('error', () => undefined);
    dialed.once('close', () => {
      leave();
      if (isOver) return;
      timer = clock.setTimeout(dial, AGAIN_AFTER_MS);
    });
  };
  dial();
  return {
    url: target.origin.replace(/^ws/, 'http'),
    close: async () => {
      isOver = true;
      clock.clearTimeout(timer);
      socket?.terminate();
    },
  };
}

function targetOf(url: string): URL {
  try {
    const { protocol, host } = new URL(url);
    if (/^(ws|http)s?:$/.test(protocol)) return new URL(`${protocol.replace('http', 'ws')}//${host}/inspector/program`);
  } catch {
    // Answered below.
  }
  throw new QuorateError('QUORATE_CONFIG_INVALID', `expected url to be like ws://127.0.0.1:8080, got "${url}"`);
}
