import type { AnyActorRef } from 'xstate';
import type { Clock } from '../seams/clock.js';
import type { ActorObserverOptions } from './actor-observer.js';
import { ActorObserver } from './actor-observer.js';
import type { InspectionSource } from './hub.js';

export interface ActorSourceOptions extends Pick<ActorObserverOptions, 'isQuiet' | 'shownOf'> {
  /** The root of the system. */
  readonly actor: AnyActorRef;
  readonly clock: Clock;
  readonly system: string;
  /** The system's name for people. */
  readonly name: () => string;
  /** The name of a node's cluster, where it has one of its own. */
  readonly cluster?: string | undefined;
  readonly pid: number | null;
  readonly failed: (error: unknown) => void;
}

/** An actor system of this process, as a source that costs nothing while nobody looks. */
export function actorSource({ name, cluster, pid, failed, ...options }: ActorSourceOptions): InspectionSource {
  const { system } = options;
  let count = 0;
  const sequence = (): number => {
    count += 1;
    return count;
  };
  return {
    system,
    watch(publish) {
      const ofCluster = cluster === undefined ? {} : { cluster };
      const told = { type: 'system', system, name: name(), ...ofCluster, via: 'quorate', pid } as const;
      publish({ ...told, connected: true });
      const observer = new ActorObserver({
        ...options,
        sequence,
        emit: publish,
        failed: (error) => {
          publish({ ...told, connected: false });
          failed(error);
        },
      });
      return () => observer.stop();
    },
  };
}
