import { createConnect } from '../key-value/connect.js';
import { nodePlatform } from './node-platform.js';

export * from './exports.js';

/** Connects to a cluster: its key-value store, or the service that `options` name. `const db = await connect();` */
export const connect = createConnect(nodePlatform);
