// The message of a sync's commit: the declared template filled in, and below it the trailers by which a commit is
// recognised as a sync's own. Text of users and remotes can neither forge those trailers nor break the commit.
import { CoregitError } from "./errors.ts";
import { isOid, type Oid } from "./oid.ts";

export type MessageValues = {
  readonly remote: string;
  readonly branch: string;
  /** The source's commit. */
  readonly sha: Oid;
  readonly added: number;
  readonly modified: number;
  readonly deleted: number;
};

export type SyncTrailers = {
  /** Id of the sync. */
  readonly sync: string;
  /** The source, displayable: a remote's URL, or the repository's name. */
  readonly origin: string;
  readonly originCommit: Oid;
};

export const DEFAULT_MESSAGE_TEMPLATE =
  "Sync {{branch}} of {{remote}} at {{shortSha}}\n\n{{added}} added, {{modified}} modified, {{deleted}} deleted";

export const MESSAGE_PLACEHOLDERS = ["remote", "branch", "sha", "shortSha", "added", "modified", "deleted"] as const;
type Placeholder = (typeof MESSAGE_PLACEHOLDERS)[number];

const MAX_TEMPLATE_LENGTH = 4096;
const SHORT_SHA_LENGTH = 7;
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

/** Why this is no usable template, as the end of a sentence about it; null: it is one. */
export function checkMessageTemplate(template: string): string | null {
  if (template.trim() === "") return "is empty";
  if (template.length > MAX_TEMPLATE_LENGTH) return `is longer than ${MAX_TEMPLATE_LENGTH} characters`;
  for (const [whole, name = ""] of template.matchAll(PLACEHOLDER)) {
    if (!isPlaceholder(name.trim())) return `has the unknown placeholder ${whole}; known are ${MESSAGE_PLACEHOLDERS.join(", ")}`;
  }
  return template.replace(PLACEHOLDER, "").includes("{{") ? "has a {{ that is not closed by }}" : null;
}

/**
 * The whole commit message. Null takes the default template.
 * @throws CoregitError `InvalidSpec` with `details.field` when `checkMessageTemplate` has a reason.
 */
export function composeMessage(template: string | null, values: MessageValues, trailers: SyncTrailers): string {
  const reason = template === null ? null : checkMessageTemplate(template);
  if (reason !== null) {
    throw new CoregitError("InvalidSpec", `commit.messageTemplate ${reason}.`, { details: { field: "commit.messageTemplate" } });
  }
  const text = defuse(fillIn(template ?? DEFAULT_MESSAGE_TEMPLATE, values));
  const paragraphs = text.split(/\n{2,}/);
  const gap = paragraphs.length > 1 && isTrailerBlock(paragraphs.at(-1) ?? "") ? "\n" : "\n\n";
  return `${text}${gap}${formatTrailers(trailers)}\n`;
}

/** The trailers of a sync's own commit, or null for any other. Only the last paragraph counts. */
export function readTrailers(message: string): SyncTrailers | null {
  const block =
    message
      .trimEnd()
      .split(/\n{2,}/)
      .at(-1) ?? "";
  const read = (key: string) =>
    block
      .split("\n")
      .findLast((line) => line.startsWith(`${key}: `))
      ?.slice(key.length + 2);
  const [sync, origin, originCommit] = [read("Coregit-Sync"), read("Coregit-Origin"), read("Coregit-Origin-Commit")];
  if (sync === undefined || origin === undefined || originCommit === undefined || !isOid(originCommit)) return null;
  return { sync, origin, originCommit };
}

function formatTrailers({ sync, origin, originCommit }: SyncTrailers): string {
  return [`Coregit-Sync: ${oneLine(sync)}`, `Coregit-Origin: ${oneLine(origin)}`, `Coregit-Origin-Commit: ${originCommit}`].join(
    "\n",
  );
}

function fillIn(template: string, values: MessageValues): string {
  const texts: Record<Placeholder, string> = {
    remote: oneLine(values.remote),
    branch: oneLine(values.branch),
    sha: values.sha,
    shortSha: values.sha.slice(0, SHORT_SHA_LENGTH),
    added: String(values.added),
    modified: String(values.modified),
    deleted: String(values.deleted),
  };
  return template.replace(PLACEHOLDER, (whole, name: string) => {
    const placeholder = name.trim();
    return isPlaceholder(placeholder) ? texts[placeholder] : whole;
  });
}

function isPlaceholder(name: string): name is Placeholder {
  return (MESSAGE_PLACEHOLDERS as readonly string[]).includes(name);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: line breaks of any kind would start a new line in the commit.
const CONTROL = /[\u0000-\u001f\u007f\u2028\u2029]+/g;

function oneLine(text: string): string {
  return text.replace(CONTROL, " ").trim();
}

const OWN_TRAILER = /^(?=[^\S\n]*coregit-[a-z-]*[^\S\n]*:)/gim;

/** Text that holds no NUL and no CR, and whose lines cannot be taken for our trailers. */
function defuse(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replaceAll("\0", "")
    .replace(OWN_TRAILER, "> ")
    .replace(/[^\S\n]+$/gm, "")
    .trim();
}

const TRAILER = /^[A-Za-z0-9-]+: \S/;

function isTrailerBlock(paragraph: string): boolean {
  return paragraph.split("\n").every((line) => TRAILER.test(line));
}
