/** Paths at which a node takes WebSockets of its peers and its clients. */
export const PEER_PATH = '/peer';
export const CLIENT_PATH = '/client';
/** And of viewers that are shown its charts: the inspection stream. */
export const INSPECTION_PATH = '/inspector/stream';
/** Here a node gives its own events, as server-sent events, and over WebSockets of this subprotocol those of another member. */
export const EVENTS_PATH = '/v1/events';
export const EVENTS_PROTOCOL = 'quorate.events.1';
/** The close code for a reader of another member through this node: the reason says why that member is not heard. */
export const NOT_HEARD = 4_502;

/** How long the other end of a connection has to take the last answers and close it, too, before it is cut, ms. */
export const FAREWELL_MS = 250;
