/** What is wrong with the way in which a start on damaged files was refused; undefined where it says which file, where, and what to do. */
export function problemWithRefusal(error, file) {
  if (error.code !== 'QUORATE_DATA_DAMAGED') return `expected QUORATE_DATA_DAMAGED, got ${error.code ?? error.name}`;
  if (!error.message.includes(file)) return `expected the refusal to name ${file}`;
  if (!/offset \d+/.test(error.message) && !/format version/.test(error.message))
    return 'expected the refusal to name an offset';
  if (!/Keep a copy|start the version that wrote it/.test(error.message))
    return 'expected the refusal to say what to do';
  return undefined;
}
