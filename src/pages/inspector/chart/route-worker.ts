import { routeWires } from './route.js';
import type { RouteJob } from './route-job.js';

/** Runs in a worker: finds ways for arrows while the page goes on. */
interface WorkerScope {
  onmessage: ((event: { readonly data: { readonly id: number; readonly job: RouteJob } }) => void) | null;
  postMessage(message: unknown): void;
}

const scope = globalThis as unknown as WorkerScope;
scope.onmessage = ({ data: { id, job } }) => scope.postMessage({ id, wires: routeWires(job) });
