// Which ref names are accepted, from anywhere: git's own rules (git-check-ref-format), and on top of them no branch or tag
// that could be mistaken for an object id, for HEAD or for an option. Says why, so that callers can tell the user.
import { CoregitError } from "./errors.ts";

const BRANCHES = "refs/heads/";
const TAGS = "refs/tags/";
/** Refs of our own, which clients neither see nor change. */
export const HIDDEN_REFS = "refs/coregit/";
/** Keeps a name below what a database index and a file system take. */
const MAX_REF_BYTES = 1000;
const MAX_COMPONENT_BYTES = 240;
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are among what git forbids.
const FORBIDDEN_CHARACTER = /[\u0000-\u0020\u007f~^:?*[\\]/;
const OBJECT_ID = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i;

/** Why `name` is no ref name, as the end of a sentence about it; null: it is one. Takes full names, `refs/heads/main`. */
export function checkRefName(name: string): string | null {
  if (!name.startsWith("refs/")) return "does not begin with refs/";
  const reason = checkFormat(name);
  if (reason !== null) return reason;
  // As a ref it would leave no room for any branch or tag.
  if (`${name}/` === BRANCHES || `${name}/` === TAGS) return "is the folder of all branches or tags";
  if (name.startsWith(BRANCHES)) return checkShortName(name.slice(BRANCHES.length));
  return name.startsWith(TAGS) ? checkShortName(name.slice(TAGS.length)) : null;
}

/** The same for a branch name without `refs/heads/`. */
export function checkBranchName(name: string): string | null {
  return name === "" ? "is empty" : checkRefName(`${BRANCHES}${name}`);
}

/** The full ref of a branch. @throws CoregitError `RefNameRefused`. */
export function branchRef(name: string): string {
  const reason = checkBranchName(name);
  if (reason !== null)
    throw new CoregitError("RefNameRefused", `The branch name ${JSON.stringify(name.slice(0, 200))} ${reason}.`);
  return `${BRANCHES}${name}`;
}

/** The full ref of a tag. @throws CoregitError `RefNameRefused`. */
export function tagRef(name: string): string {
  const reason = name === "" ? "is empty" : checkRefName(`${TAGS}${name}`);
  if (reason !== null) throw new CoregitError("RefNameRefused", `The tag name ${JSON.stringify(name.slice(0, 200))} ${reason}.`);
  return `${TAGS}${name}`;
}

/** The tag that a ref is, or null when it is none. */
export function tagOf(ref: string): string | null {
  return ref.startsWith(TAGS) ? ref.slice(TAGS.length) : null;
}

export function isHiddenRef(name: string): boolean {
  return name.startsWith(HIDDEN_REFS);
}

/** The branch that a ref is, or null when it is none. */
export function branchOf(ref: string): string | null {
  return ref.startsWith(BRANCHES) ? ref.slice(BRANCHES.length) : null;
}

/** The names that leave no room for a ref: git keeps a ref as a file, and these would have to be its folders. */
export function foldersOf(name: string): string[] {
  const components = name.split("/");
  return components.slice(1).map((_, index) => components.slice(0, index + 1).join("/"));
}

/**
 * Equal for names that differ in the case of ASCII letters only: many clients' disks keep only one of them. More letters than
 * these have cases, but which ones differs from disk to disk.
 */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function checkFormat(name: string): string | null {
  if (!name.isWellFormed()) return "is not valid Unicode";
  if (Buffer.byteLength(name) > MAX_REF_BYTES) return `is longer than ${MAX_REF_BYTES} bytes`;
  if (FORBIDDEN_CHARACTER.test(name)) return "has a space, a control character or one of ~ ^ : ? * [ \\";
  if (name.includes("..")) return 'has ".."';
  if (name.includes("@{")) return 'has "@{"';
  if (name.endsWith(".")) return 'ends in "."';
  return (
    name
      .split("/")
      .map(checkComponent)
      .find((reason) => reason !== null) ?? null
  );
}

function checkComponent(component: string): string | null {
  if (component === "") return 'has an empty component (a leading, trailing or double "/")';
  if (component.startsWith(".")) return 'has a component that begins with "."';
  if (component.endsWith(".lock")) return 'has a component that ends in ".lock"';
  return Buffer.byteLength(component) > MAX_COMPONENT_BYTES ? `has a component longer than ${MAX_COMPONENT_BYTES} bytes` : null;
}

function checkShortName(name: string): string | null {
  if (name.startsWith("-")) return 'begins with "-"';
  if (name === "HEAD") return "is HEAD";
  return OBJECT_ID.test(name) ? "looks like an object id" : null;
}
