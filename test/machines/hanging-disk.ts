import { LoneReplica, MemoryLogStore } from '../../src/testing/index.js';

/** A replica whose disk hangs when it is told to. */
export function replicaOn(): { replica: LoneReplica; hang: () => void; resume: () => void } {
  let isHanging = false;
  let held: (() => void)[] = [];
  const log = new MemoryLogStore((done) => {
    if (isHanging) held.push(done);
    else done();
  });
  const hang = (): void => {
    isHanging = true;
  };
  const resume = (): void => {
    isHanging = false;
    for (const done of held.splice(0)) done();
    held = [];
  };
  return { replica: new LoneReplica({ input: { log } }), hang, resume };
}
