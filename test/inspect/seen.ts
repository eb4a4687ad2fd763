import type { Viewer } from '../../src/inspect/hub.js';
import type { InspectionMessage } from '../../src/inspect/stream.js';

/** A viewer that keeps all that it is told. */
export class Seen implements Viewer {
  readonly messages: InspectionMessage[] = [];
  begin(there: readonly InspectionMessage[]): void {
    this.messages.push(...there);
  }
  send(message: InspectionMessage): void {
    this.messages.push(message);
  }
  /** The ids of the actors that this viewer has been told of and that are not gone. */
  get actors(): readonly string[] {
    const there = new Map<string, string>();
    for (const message of this.messages) {
      if (message.type === 'actor') there.set(message.actor, message.id);
      if (message.type === 'gone') there.delete(message.actor);
    }
    return [...there.values()];
  }
  get notShown(): number {
    const told = this.messages.findLast((message) => message.type === 'system');
    return told?.actorsNotShown ?? 0;
  }
}
