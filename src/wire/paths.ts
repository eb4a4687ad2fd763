/** Paths at which a node takes WebSockets of its peers and its clients. */
export const PEER_PATH = '/peer';
export const CLIENT_PATH = '/client';
