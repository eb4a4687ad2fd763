/** Paths at which a node takes WebSockets of its peers and its clients. */
export const PEER_PATH = '/peer';
export const CLIENT_PATH = '/client';

/** How long the other end of a connection has to take the last answers and close it, too, before it is cut, ms. */
export const FAREWELL_MS = 250;
