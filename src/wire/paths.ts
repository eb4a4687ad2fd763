/** Where a node takes WebSockets: its peers' and its clients'. */
export const PEER_PATH = '/peer';
export const CLIENT_PATH = '/client';
