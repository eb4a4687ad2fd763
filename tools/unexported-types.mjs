/**
 * Finds what exported signatures name and nobody can import: `node tools/unexported-types.mjs` after a build lists it. It reads the
 * declarations that are published, with the compiler that attw brings along, because TypeScript 7 has no API.
 */
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const built = `${path.join(root, 'dist')}/`;
const ENTRIES = ['index', 'client/node', 'machines', 'testing/index'];

/** XState's types of these machines spell all of their actors: what is inside is read with `typeof`, `SnapshotFrom` and `EventFrom`. */
const MACHINES = ['replicaMachine', 'leadership', 'replica'];
/** A value whose type is meant where a declaration says `typeof`: a service definition. */
const VALUES = ['keyValueService'];

/** One sentence for each type of ours that an exported declaration names, and that no entry point exports. */
export function unexportedTypes() {
  const ts = createRequire(createRequire(import.meta.url).resolve('@arethetypeswrong/core/package.json'))('typescript');
  const files = ENTRIES.map((entry) => path.join(built, 'src', `${entry}.d.ts`));
  const program = ts.createProgram(files, { module: ts.ModuleKind.NodeNext, skipLibCheck: true, types: ['node'] });
  const checker = program.getTypeChecker();
  const target = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
  const exported = new Set(
    files.flatMap((file) => {
      const module = checker.getSymbolAtLocation(program.getSourceFile(file));
      return checker.getExportsOfModule(module).map(target);
    }),
  );
  const isOurs = (symbol) => symbol.declarations?.[0]?.getSourceFile().fileName.startsWith(built) === true;
  const isMissing = (symbol) => {
    const isParameter = (symbol.flags & ts.SymbolFlags.TypeParameter) !== 0;
    return isOurs(symbol) && !isParameter && !exported.has(symbol) && !VALUES.includes(symbol.name);
  };
  const nameIn = (node) => {
    if (ts.isTypeReferenceNode(node)) return node.typeName;
    if (ts.isExpressionWithTypeArguments(node)) return node.expression;
    if (ts.isTypeQueryNode(node)) return node.exprName;
    return ts.isImportTypeNode(node) ? node.qualifier : undefined;
  };
  const found = new Set();
  for (const symbol of exported) {
    const visit = (node) => {
      // Not for users: the declaration says so.
      if (ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')) return;
      const name = nameIn(node);
      const named = name === undefined ? undefined : checker.getSymbolAtLocation(name);
      if (named !== undefined && isMissing(target(named))) found.add(`${symbol.name} names ${target(named).name}`);
      ts.forEachChild(node, visit);
    };
    if (isOurs(symbol) && !MACHINES.includes(symbol.name)) symbol.declarations?.forEach(visit);
  }
  return [...found].sort();
}

if (process.argv[1] === import.meta.filename) console.log(unexportedTypes().join('\n'));
