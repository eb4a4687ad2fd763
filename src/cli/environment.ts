/** A variable's value. One that is set to nothing counts as not set, as a line `QUORATE_PORT=` in a file of them means. */
export function fromEnvironment(name: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const text = environment[name];
  return text === '' ? undefined : text;
}
