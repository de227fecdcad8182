// One glob, matched in time linear in pattern × path. Patterns come from whoever may declare a sync and paths from whatever
// a remote holds, so a glob is not turned into a regular expression: one that backtracks would let the two stall the process.
// `*` and `?` stay within a component, `**` as a component spans any number of them (at the end at least one), `[a-z]` and `[!x]` are classes,
// `{a,b}` alternatives, a backslash takes the next character as it is. Dot files match, case counts.
// The plain path of a folder, or a glob that ends in `/`, means everything below it.

/** Longest glob, in UTF-16 units; more is a list of paths, not a pattern. */
const MAX_LENGTH = 512;
/** `{a,b}{c,d}…` multiplies, and each alternative is matched by itself. */
const MAX_ALTERNATIVES = 64;

export type Glob = (path: string) => boolean;

/** What one item must be; null: a run of any items. Items are a path's components, or a component's characters. */
type Step = ((item: string) => boolean) | null;

/** Why this is no usable glob, as the end of a sentence about it; null: it is one. */
export function checkGlob(pattern: string): string | null {
  try {
    compileGlob(pattern);
    return null;
  } catch (error) {
    if (error instanceof GlobError) return error.message;
    throw error;
  }
}

/** @throws GlobError when `checkGlob` has a reason. */
export function compileGlob(pattern: string): Glob {
  checkForm(pattern);
  const alternatives = expandBraces(pattern).map(compileComponents);
  return (path) => {
    const components = path.split("/");
    return alternatives.some((steps) => matchSteps(steps, components));
  };
}

class GlobError extends Error {
  override readonly name = "GlobError";
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: nobody means them, and they would spoil messages.
const CONTROL = /[\u0000-\u001f\u007f]/;
const EXTENDED_GROUP = /(?<!\\)[@!+?*]\(/;

function checkForm(pattern: string): void {
  if (pattern.trim() === "") throw new GlobError("is empty");
  if (pattern.length > MAX_LENGTH) throw new GlobError(`is longer than ${MAX_LENGTH} characters`);
  if (CONTROL.test(pattern) || !pattern.isWellFormed()) throw new GlobError("has a control character or is not valid Unicode");
  if (pattern.startsWith("/")) throw new GlobError("begins with a slash; globs are relative to the synced folder");
  if (EXTENDED_GROUP.test(pattern)) throw new GlobError("has a group such as !(…), which is not supported; use {a,b} or exclude");
  if (pattern.startsWith("!")) throw new GlobError("begins with !; list it under exclude instead");
}

const BRACE_PIECES = /\\.|[{},]|[^\\{},]+|\\$/gsu;

/** Alternatives of a brace group read so far: those before the last comma, and those since. */
type Group = { readonly finished: string[]; current: string[] };

/** `a{b,c}d` → `abd`, `acd`; nested too. Braces without a comma stay as they are. */
function expandBraces(pattern: string): readonly string[] {
  const groups: Group[] = [{ finished: [], current: [""] }];
  for (const piece of pattern.match(BRACE_PIECES) ?? []) readBracePiece(groups, piece);
  const [whole, ...unclosed] = groups;
  if (unclosed.length > 0) throw new GlobError("has a brace that is not closed");
  return whole?.current ?? [];
}

/** The open groups, outermost first; the first is the pattern itself, where commas and closing braces mean themselves. */
function readBracePiece(groups: Group[], piece: string): void {
  const group = groups.at(-1);
  const parent = groups.at(-2);
  if (group === undefined) return;
  if (piece === "{") groups.push({ finished: [], current: [""] });
  else if (parent !== undefined && piece === ",") group.finished.push(...group.current.splice(0, group.current.length, ""));
  else if (parent !== undefined && piece === "}") {
    parent.current = combine(parent.current, closeGroup(group));
    groups.pop();
  } else group.current = combine(group.current, [piece]);
}

function closeGroup({ finished, current }: Group): readonly string[] {
  return finished.length > 0 ? [...finished, ...current] : current.map((text) => `{${text}}`);
}

function combine(heads: readonly string[], tails: readonly string[]): string[] {
  if (heads.length * tails.length > MAX_ALTERNATIVES) throw new GlobError(`has more than ${MAX_ALTERNATIVES} alternatives`);
  return heads.flatMap((head) => tails.map((tail) => head + tail));
}

const MAGIC = /[*?[\\]/;

function compileComponents(pattern: string): readonly Step[] {
  const texts = pattern
    .replace(/^(?:\.\/)+/, "")
    .replace(/\/$/, "/**")
    .split("/");
  if (texts.some((text) => text === "" || text === "." || text === ".."))
    throw new GlobError('has an empty component, "." or ".."');
  const steps = texts.map((text) => (text === "**" ? null : compileComponent(text)));
  if (texts.at(-1) === "**") return [...steps, () => true];
  return MAGIC.test(pattern) ? steps : [...steps, null];
}

function compileComponent(text: string): Step {
  if (!MAGIC.test(text)) return (name) => name === text;
  const steps = compileCharacters(text);
  return (name) => matchSteps(steps, Array.from(name));
}

const CHARACTER_PIECES = /\*+|\?|\[([!^]?)(\]?(?:\\.|[^\\\]])*)\]|\\(.)|([^\\[])/gsu;

function compileCharacters(text: string): readonly Step[] {
  const steps: Step[] = [];
  let read = 0;
  for (const [piece, negation, members, escaped, plain] of text.matchAll(CHARACTER_PIECES)) {
    read += piece.length;
    if (members !== undefined) steps.push(compileClass(members, negation !== ""));
    else steps.push(compileCharacter(escaped ?? plain ?? piece, piece));
  }
  if (read < text.length) throw new GlobError("has a [ or a \\ without what belongs to it");
  return steps;
}

function compileCharacter(literal: string, piece: string): Step {
  if (piece.startsWith("*")) return null;
  return piece === "?" ? () => true : (character) => character === literal;
}

function compileClass(members: string, isNegated: boolean): Step {
  const items = Array.from(members.matchAll(/\\(.)|(.)-(.)|(.)/gsu), ([, escaped, low, high, single]) => {
    const only = escaped ?? single ?? "";
    return { low: codePoint(low ?? only), high: codePoint(high ?? only) };
  });
  if (items.length === 0 || items.some(({ low, high }) => low > high))
    throw new GlobError("has a class [] that nothing can match");
  return (character) => {
    const code = codePoint(character);
    return items.some(({ low, high }) => code >= low && code <= high) !== isNegated;
  };
}

function codePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** Only the last run is ever lengthened: whatever an earlier one could take in, the later one can too. */
function matchSteps(steps: readonly Step[], items: readonly string[]): boolean {
  let at = 0;
  let index = 0;
  let run = -1;
  let resume = 0;
  while (index < items.length) {
    const step = steps[at];
    if (step === null) {
      run = at++;
      resume = index;
    } else if (step?.(items[index] ?? "")) {
      at++;
      index++;
    } else if (run >= 0) {
      at = run + 1;
      index = ++resume;
    } else return false;
  }
  while (steps[at] === null) at++;
  return at === steps.length;
}
