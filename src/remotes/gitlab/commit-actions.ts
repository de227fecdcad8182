// A plan as the actions of one GitLab commit. Its verbs are strict, so that each says what the path was, and actions that meet
// a path which exists are guarded: GitLab refuses the whole commit when the path has changed since the commit that they name.
// What these actions cannot say exactly is not said at all.
// Source: https://docs.gitlab.com/api/commits/#create-a-commit-with-multiple-files-and-actions
import { isUtf8 } from "node:buffer";
import type { CommitAction } from "@gitbeaker/rest";
import { bytesToText } from "../../domain/byte-text.ts";
import type { Oid } from "../../domain/oid.ts";
import { displayPath } from "../../domain/path-rules.ts";
import type { GitPath } from "../../domain/tree.ts";
import type { Change } from "../../domain/tree-diff.ts";
import type { CommitPlan } from "../commit-api.ts";

export type CommitActions =
  | { readonly kind: "suited"; readonly actions: readonly CommitAction[] }
  /** `reason` ends the sentence "The API … ". */
  | { readonly kind: "unsuited"; readonly reason: string };

/** GitLab looks up the last commit of each guarded path, and has 60 s for a request. */
const MAX_ACTIONS = 500;
/** Requests above 20 MB are limited to three in 30 s (https://docs.gitlab.com/administration/instance_limits). */
const MAX_BODY_BYTES = 15_000_000;

const KINDS: Readonly<Record<string, string>> = { "120000": "symbolic links", "160000": "submodule links" };

/** @throws CoregitError `ObjectMissing`; the reason of `signal`. */
export async function commitActions(plan: CommitPlan, signal: AbortSignal): Promise<CommitActions> {
  if (plan.expected === null) return unsuited("is not used for the first commit of a branch");
  const reason = firstUnsaid(plan) ?? ((await sizeOf(plan)) > MAX_BODY_BYTES ? TOO_LARGE : null);
  if (reason !== null) return unsuited(reason);
  const files = await readFiles(plan, signal);
  const changed = files.find(({ bytes }) => bytes !== null && hasCarriageReturns(bytes));
  if (changed !== undefined) return unsuited(`may change line ends (${changed.path})`);
  const guard = plan.expected.commit;
  const actions = files.flatMap((file) => actionsFor(file, guard));
  if (actions.length > MAX_ACTIONS) return unsuited(TOO_MANY);
  return Buffer.byteLength(JSON.stringify(actions)) > MAX_BODY_BYTES ? unsuited(TOO_LARGE) : { kind: "suited", actions };
}

const TOO_MANY = `is not used for more than ${MAX_ACTIONS} changes at once`;
const TOO_LARGE = `is not used for more than ${MAX_BODY_BYTES / 1_000_000} MB at once`;
const unsuited = (reason: string): CommitActions => ({ kind: "unsuited", reason });

/** What is known without reading a file: why no actions say this plan; null: some may. */
function firstUnsaid({ changes }: CommitPlan): string | null {
  if (changes.size > MAX_ACTIONS) return TOO_MANY;
  for (const [path, change] of changes) {
    const reason = whyUnsaid(path, change);
    if (reason !== null) return `${reason} (${displayPath(path)})`;
  }
  return null;
}

function whyUnsaid(path: GitPath, { before, after }: Change): string | null {
  const text = bytesToText(path);
  if (text === null) return "names no paths that are not UTF-8";
  if (/\p{Cc}/u.test(text)) return "is not used for paths with control characters";
  for (const mode of [before?.mode, after?.mode]) {
    if (mode !== undefined && mode !== "100644" && mode !== "100755")
      return `changes no ${KINDS[mode] ?? `entries of mode ${mode}`}`;
  }
  return null;
}

async function sizeOf({ changes, blobs }: CommitPlan): Promise<number> {
  let size = 0;
  for (const { after } of changes.values()) if (after !== null && size <= MAX_BODY_BYTES) size += await blobs.size(after.oid);
  return size;
}

type ChangedFile = Change & {
  readonly path: string;
  /** Content after; null: it is deleted. */
  readonly bytes: Uint8Array | null;
};

/** Deletions first: they make way for folders and files of the same name. */
async function readFiles({ changes, blobs }: CommitPlan, signal: AbortSignal): Promise<ChangedFile[]> {
  const deleted: ChangedFile[] = [];
  const written: ChangedFile[] = [];
  for (const [name, change] of changes) {
    signal.throwIfAborted();
    const path = bytesToText(name) ?? "";
    if (change.after === null) deleted.push({ ...change, path, bytes: null });
    else written.push({ ...change, path, bytes: await blobs.read(change.after.oid) });
  }
  return [...deleted, ...written];
}

/** Gitaly has long run git with `core.autocrlf=input`: it writes LF for CRLF into what it takes for text, however that was sent. */
function hasCarriageReturns(bytes: Uint8Array): boolean {
  return asBuffer(bytes).includes("\r\n");
}

/**
 * Paths that exist must not have changed since the commit `guard`. New files are 100644 and others keep their mode until `chmod`, which
 * nothing guards: an update always stands before it.
 */
function actionsFor({ path: filePath, before, after, bytes }: ChangedFile, guard: Oid): CommitAction[] {
  if (bytes === null) return [{ action: "delete", filePath, lastCommitId: guard }];
  const isExecutable = after?.mode === "100755";
  const content = encodeContent(bytes);
  const write: CommitAction =
    before === null
      ? { action: "create", filePath, ...content }
      : { action: "update", filePath, ...content, lastCommitId: guard };
  if (isExecutable === (before?.mode === "100755")) return [write];
  return [write, { action: "chmod", filePath, execute_filemode: isExecutable }];
}

/** Text as it is where JSON brings it unchanged: GitLab takes no NUL. */
function encodeContent(bytes: Uint8Array): Required<Pick<CommitAction, "content" | "encoding">> {
  const content = asBuffer(bytes);
  const isText = isUtf8(content) && !content.includes(0);
  return { content: content.toString(isText ? "utf8" : "base64"), encoding: isText ? "text" : "base64" };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
