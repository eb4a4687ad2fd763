import type { RoutedWire, RouteJob } from './route-job.js';

/** The name of the worker's own file among the assets; the build writes it in. */
declare const ROUTE_WORKER: string;

type Answer = (wires: readonly RoutedWire[]) => void;

let worker: Worker | null = null;
let asked = 0;
const waiting = new Map<number, Answer>();

/** Finds ways for arrows in a worker. Without an answer the chart stays without arrows, which loses no fact. */
export function askForRoutes(job: RouteJob, answer: Answer): void {
  worker ??= start();
  asked += 1;
  waiting.set(asked, answer);
  worker.postMessage({ id: asked, job });
}

function start(): Worker {
  const started = new Worker(new URL(ROUTE_WORKER, import.meta.url), { type: 'module' });
  started.onmessage = ({ data }: { readonly data: { readonly id: number; readonly wires: readonly RoutedWire[] } }) => {
    waiting.get(data.id)?.(data.wires);
    waiting.delete(data.id);
  };
  return started;
}
