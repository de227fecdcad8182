// Which names a tree may hold, judged as if a hostile repository had made it: what git's fsck and verify_path refuse with
// both core.protectHFS and core.protectNTFS on, so that no checkout on any system writes into a .git folder.
// Also how the bytes of a path are shown and taken from text.
import { bytesToText, decodeText, textToBytes } from "./byte-text.ts";
import { ZERO_OID } from "./oid.ts";
import type { GitPath, TreeEntry } from "./tree.ts";

/** fsck's default for largePathname. */
const MAX_NAME_BYTES = 4096;
const MAX_PATH_BYTES = 4096;
const DOT = 0x2e;
const UPPER_G = 0x47;
const LOWER_G = 0x67;
/** Characters that HFS+ ignores in names, as git lists them. */
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;
/** git reads malformed UTF-8 (here U+FFFD) as the end of a name on HFS+. */
const HFS_DOT_GIT = /^\.git(?:$|\ufffd)/i;
const HFS_DOT_GITMODULES = /^\.gitmodules(?:$|\ufffd)/i;
/** A name that NTFS opens as .git: the name or its short form, then dots and spaces, then a stream or the end. */
const NTFS_DOT_GIT = /^(?:\.git|git~1)[. ]*(?:$|:)/i;
const NTFS_DOT_GITMODULES = new RegExp(String.raw`^(?:\.gitmodules|gitmod~[1-4]|${hashedShortNames("gi7eba")})[. ]*(?:$|:)`, "i");
const HFS_DOT_GITATTRIBUTES = /^\.gitattributes(?:$|\ufffd)/i;
const NTFS_DOT_GITATTRIBUTES = new RegExp(
  String.raw`^(?:\.gitattributes|gitatt~[1-4]|${hashedShortNames("gi7d29")})[. ]*(?:$|:)`,
  "i",
);

/** The eight-character names that Windows makes of a prefix when the plain short names are taken: prefix, `~`, digits. */
function hashedShortNames(prefix: string): string {
  return Array.from({ length: prefix.length + 1 }, (_, kept) => `${prefix.slice(0, kept)}~[1-9][0-9]{${6 - kept}}`).join("|");
}

/** Why this entry must not be stored, as the end of a sentence about it; null: it may. */
export function checkTreeEntry(entry: TreeEntry): string | null {
  const reason = checkName(entry.name);
  if (reason !== null) return reason;
  if (entry.oid === ZERO_OID) return "points at the null object";
  return entry.mode === "120000" && isDotGitmodules(entry.name) ? "is a .gitmodules that is a symbolic link" : null;
}

/** The same for a whole path of a file or folder, such as one that a user names. */
export function checkPath(path: GitPath): string | null {
  if (path.length > MAX_PATH_BYTES) return `is longer than ${MAX_PATH_BYTES} bytes`;
  return (
    path
      .split("/")
      .map(checkName)
      .find((reason) => reason !== null) ?? null
  );
}

function checkName(name: string): string | null {
  if (name === "") return "has an empty name";
  if (name === "." || name === "..") return 'has the name "." or ".."';
  if (name.includes("/") || name.includes("\0")) return "has a slash or a NUL in its name";
  if (name.length > MAX_NAME_BYTES) return `has a name longer than ${MAX_NAME_BYTES} bytes`;
  return isDotGit(name) ? "has a name that a file system may read as .git" : null;
}

function isDotGit(name: string): boolean {
  return mayBeDotGit(name) && looksLikeDotGit(name);
}

/** False for almost every name there is, at little cost: `.git`, its short names and what is ignored before them begin otherwise. */
function mayBeDotGit(name: string): boolean {
  const first = name.charCodeAt(0);
  return first === DOT || first === LOWER_G || first === UPPER_G || first > 0x7f || name.includes("\\");
}

function looksLikeDotGit(name: string): boolean {
  return HFS_DOT_GIT.test(asOnHfs(name)) || name.split("\\").some((part) => NTFS_DOT_GIT.test(part));
}

/** Whether some file system opens this name as .gitmodules. */
export function isDotGitmodules(name: string): boolean {
  return HFS_DOT_GITMODULES.test(asOnHfs(name)) || name.split("\\").some((part) => NTFS_DOT_GITMODULES.test(part));
}

/** The same for .gitattributes. */
export function isDotGitattributes(name: string): boolean {
  return HFS_DOT_GITATTRIBUTES.test(asOnHfs(name)) || name.split("\\").some((part) => NTFS_DOT_GITATTRIBUTES.test(part));
}

function asOnHfs(name: string): string {
  return name.startsWith(".") || name.charCodeAt(0) > 0x7f
    ? decodeText(Buffer.from(name, "latin1")).replace(HFS_IGNORED, "")
    : name;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what must not reach a terminal or a log.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A path for people: its UTF-8 text, or its bytes with those above ASCII escaped; control and direction characters escaped. */
export function displayPath(path: GitPath): string {
  const text = bytesToText(path) ?? path.replace(/[\u0080-\u00ff]/g, escapeCharacter);
  return text.replace(UNPRINTABLE, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}

/** The path that a user means by this text. */
export function toGitPath(text: string): GitPath {
  return textToBytes(text);
}
