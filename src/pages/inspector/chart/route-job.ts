/** The router's questions and answers: plain data, because they cross to a worker and back. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** An arrow that is wanted, from a row of one box to another box. */
export interface WireWish {
  readonly key: string;
  /** Where it may leave: left of the box, or right of it or of the row's words. */
  readonly leftX: number;
  readonly rightX: number;
  readonly y: number;
  readonly target: Rect;
  /** Arrows with the same number lead to the same box and may share their way. */
  readonly targetNumber: number;
  /** Whether the target's box holds the source: the arrow reaches it from within. */
  readonly isInside: boolean;
}

/** All coordinates are in pixels; boxes lie on the grid. */
export interface RouteJob {
  readonly width: number;
  readonly height: number;
  /** Boxes that no arrow crosses. */
  readonly solids: readonly Rect[];
  /** Boxes whose borders arrows may cross. */
  readonly frames: readonly Rect[];
  /** Words that no arrow crosses. */
  readonly texts: readonly Rect[];
  readonly wires: readonly WireWish[];
}

export interface RoutedWire {
  readonly key: string;
  readonly points: readonly Point[];
}
