type Done = (error?: Error) => void;

/** Takes each step when the one before it is done, up to the first that fails. */
export function inOrder(steps: readonly ((done: Done) => void)[], done: Done): void {
  const [step, ...others] = steps;
  if (step === undefined) return done();
  step((error) => {
    if (error === undefined) inOrder(others, done);
    else done(error);
  });
}
