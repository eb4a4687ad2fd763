/** Characters that a browser does not show, or that turn the text around them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this finds, to show them
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
const DELETE = 0x7f;
const CONTROL_PICTURES = 0x2400;

/** A key as one line that shows all of its characters: `␊` for the end of a line, `␣` for a space at either end. */
export function keyText(key: string): string {
  return key.replace(/^ +| +$/g, (spaces) => '␣'.repeat(spaces.length)).replace(INVISIBLE, pictureOf);
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code);
  return code === DELETE ? '␡' : `\\u${code.toString(16).padStart(4, '0')}`;
}

const MOST_IN_A_SENTENCE = 80;
const START = 50;
const END = 20;

/** The same, and of a long key its start and its end. */
export function keyInWords(key: string): string {
  const text = keyText(key);
  const characters = [...text];
  if (characters.length <= MOST_IN_A_SENTENCE) return text;
  return `${characters.slice(0, START).join('')} … ${characters.slice(-END).join('')}`;
}
