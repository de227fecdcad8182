// Replacements in a file's bytes, each of a text that stands there exactly once. The search is linear in the file whatever
// is looked for (Knuth, Morris, Pratt): what callers send must not be able to keep the process busy.

export type TextEdit = { readonly old_string: string; readonly new_string: string };

/** How often an edit's text was found, when that is not once; `index` is the edit's place in the list. */
export type EditMismatch = { readonly index: number; readonly found: "none" | "several" };

/** The content after all edits, one after the other; or the first that does not apply. */
export function applyEdits(content: Uint8Array, edits: readonly TextEdit[]): Uint8Array | EditMismatch {
  let edited = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  for (const [index, edit] of edits.entries()) {
    const old = Buffer.from(edit.old_string, "utf8");
    const [first, second] = findTwice(edited, old);
    if (first === undefined) return { index, found: "none" };
    if (second !== undefined) return { index, found: "several" };
    edited = Buffer.concat([
      edited.subarray(0, first),
      Buffer.from(edit.new_string, "utf8"),
      edited.subarray(first + old.length),
    ]);
  }
  return edited;
}

/** Where `pattern` (not empty) begins, at most the first two places. They may overlap. */
function findTwice(text: Uint8Array, pattern: Uint8Array): number[] {
  const search = prepare(pattern);
  const found: number[] = [];
  let matched = 0;
  for (let position = 0; position < text.length && found.length < 2; position += 1) {
    matched = extend(search, matched, text[position]);
    if (matched === pattern.length) found.push(position + 1 - pattern.length);
  }
  return found;
}

/** `borders`: for each beginning of the pattern the length of its longest proper beginning that is also its end. */
type Search = { readonly pattern: Uint8Array; readonly borders: Int32Array };

function prepare(pattern: Uint8Array): Search {
  const borders = new Int32Array(pattern.length);
  const search = { pattern, borders };
  for (let end = 1; end < pattern.length; end += 1) borders[end] = extend(search, borders[end - 1] ?? 0, pattern[end]);
  return search;
}

/** How much of the pattern is matched after one more byte. */
function extend({ pattern, borders }: Search, matched: number, byte: number | undefined): number {
  let length = matched;
  while (length > 0 && byte !== pattern[length]) length = borders[length - 1] ?? 0;
  return byte === pattern[length] ? length + 1 : length;
}
