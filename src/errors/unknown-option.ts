/**
 * What is wrong with the options of a caller without types, where one of them is none of `names`: it would silently not count. Inherited ones
 * count, too. Undefined where all are known.
 */
export function unknownOption(options: object, names: readonly string[]): string | undefined {
  for (const name in options) {
    if (!names.includes(name))
      return `expected no option but ${names.join(', ')}, got ${name}: leave it out, or correct its name`;
  }
  return undefined;
}
