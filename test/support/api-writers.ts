// Clients of a git host that write all the time: commits through the API, pushes of several refs by native git, deletions.
// Each does one thing at a time and writes down what it asked for and what it was told.
import { newObject } from "../../src/domain/object-codec.ts";
import { attempt, type Life, type OperationLog } from "./acknowledged-operations.ts";
import { tryGit } from "./git.ts";
import type { SourceRepository } from "./source-repository.ts";

/** A request that takes longer is stuck: the longest, a push beside five other writers, takes a second. */
const DEADLINE_MS = 20_000;
/** Beyond what travels in a transaction. */
const LARGE_BYTES = 100_000;
const LARGE_SHARE = 0.2;

export type WriterContext = {
  readonly slug: string;
  readonly key: string;
  readonly log: OperationLog;
  readonly random: () => number;
  /** Unique, for names of what the writer makes. */
  readonly name: string;
};

/** Asks one thing of a replica and logs it. @throws when the replica refuses, or takes too long, though it lives. */
export type Writer = (target: Life) => Promise<void>;

type Answer = {
  readonly status: number;
  readonly body: { readonly sha?: string; readonly parent_sha?: string | null; readonly head_sha?: string | null };
};

async function ask({ key, slug }: WriterContext, target: Life, path: string, init: RequestInit): Promise<Answer> {
  const headers = { "x-api-key": key, ...(init.body === undefined ? {} : { "content-type": "application/json" }) };
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const response = await fetch(`${target.url}/v1/repos/${slug}${path}`, { ...init, headers, signal });
  return { status: response.status, body: (await response.json()) as Answer["body"] };
}

function refused(what: string, answer: Answer): Error {
  return new Error(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** Contents that only this operation has. */
function contentOf(id: string, file: string, random: () => number): string {
  const text = `${id} ${file}\n`;
  return random() < LARGE_SHARE ? text.repeat(LARGE_BYTES / text.length) : text;
}

function newFiles({ name, random }: WriterContext, id: string): Map<string, string> {
  return new Map(["a", "deep/b", `once-${id}`].map((file) => [`${name}/${file}`, contentOf(id, file, random)]));
}

type CommitRequest = {
  readonly id: string;
  readonly branch: string;
  readonly parent: string | null | undefined;
};

/** Null: the replica was killed before it answered. */
async function postCommit(context: WriterContext, target: Life, request: CommitRequest): Promise<Answer | null> {
  const { id, branch, parent } = request;
  const files = newFiles(context, id);
  const body = {
    branch,
    message: id,
    author: { name: "Ada", email: "ada@example.com" },
    changes: [...files].map(([path, content]) => ({ path, content })),
    ...(typeof parent === "string" ? { parent_sha: parent } : {}),
  };
  const outcome = await attempt(target, () => ask(context, target, "/commits", { method: "POST", body: JSON.stringify(body) }));
  const answer = outcome.wasCut ? null : outcome.value;
  const blobs = new Map([...files].map(([path, content]) => [path, newObject("blob", Buffer.from(content)).oid]));
  const sha = answer?.status === 201 ? (answer.body.sha ?? null) : null;
  // A refusal is no operation whose outcome is open: nothing of it may be there, which the checker finds by its message.
  if (answer === null || sha !== null) context.log.commits.push({ id, branch, parent, files: blobs, sha });
  return answer;
}

/** Commits on top of whatever the branch is, beside others that do the same. */
export function commitWriter(context: WriterContext, branch: string): Writer {
  let count = 0;
  return async (target) => {
    count += 1;
    const answer = await postCommit(context, target, { id: `${context.name}-${count}`, branch, parent: undefined });
    if (answer !== null && answer.status !== 201) throw refused("a commit", answer);
  };
}

/** Commits by compare-and-swap on a branch of its own. Only what was cut off may have moved it. */
export function casWriter(context: WriterContext, branch: string): Writer {
  let count = 0;
  let head: string | null = null;
  let isSure = true;
  const follow = (answer: Answer): void => {
    const { status, body } = answer;
    // Refused: what was cut off is there after all.
    if (status !== 201 && (status !== 409 || isSure)) throw refused("a commit by compare-and-swap", answer);
    head = (status === 201 ? body.sha : body.head_sha) ?? null;
    isSure = status === 201;
  };
  return async (target) => {
    count += 1;
    const answer = await postCommit(context, target, { id: `${context.name}-${count}`, branch, parent: head });
    if (answer === null) isSure = false;
    else follow(answer);
  };
}

function gitUrl({ key, slug }: WriterContext, target: Life): string {
  return `${target.url.replace("://", `://any:${key}@`)}/${slug}.git`;
}

async function pushByGit(context: WriterContext, source: SourceRepository, target: Life, args: readonly string[]): Promise<void> {
  const stop = AbortSignal.timeout(DEADLINE_MS);
  const [flags, refspecs] = [args.filter((arg) => arg.startsWith("--")), args.filter((arg) => !arg.startsWith("--"))];
  const ended = tryGit(["-C", source.path, "push", "--quiet", ...flags, gitUrl(context, target), ...refspecs]);
  const late = new Promise<never>((_resolve, reject) => stop.addEventListener("abort", () => reject(stop.reason)));
  const { code, stderr } = await Promise.race([ended, late]);
  if (code !== 0) throw new Error(`git push ended with ${code}: ${stderr}`);
}

function commitLocally({ name, random }: WriterContext, source: SourceRepository, branch: string, id: string): Promise<string> {
  return source.commit({ [`${name}.txt`]: contentOf(id, branch, random) }, { branch, message: id });
}

/** Pushes two branches and a new tag at once. */
export function pushWriter(
  context: WriterContext,
  source: SourceRepository,
  { isAtomic }: { readonly isAtomic: boolean },
): Writer {
  const { name, log } = context;
  const branches = [`${name}-left`, `${name}-right`];
  let count = 0;
  return async (target) => {
    count += 1;
    const id = `${name}-${count}`;
    const tips: string[] = [];
    for (const branch of branches) tips.push(await commitLocally(context, source, branch, id));
    const moved = branches.map((branch, index) => ({ ref: `refs/heads/${branch}`, next: tips[index] ?? "" }));
    const tag = { ref: `refs/tags/${id}`, next: tips[0] ?? "" };
    const moves = [...moved, tag].map((move) => ({ ...move, old: null }));
    const refspecs = moves.map(({ ref, next }) => `${next}:${ref}`);
    const flags = isAtomic ? ["--atomic"] : [];
    const outcome = await attempt(target, () => pushByGit(context, source, target, [...flags, ...refspecs]));
    log.moves.push({ id, isAtomic, moves, isAcknowledged: !outcome.wasCut });
  };
}

/** Makes a branch by a push and deletes it, by a push or by the API, under the same name again and again. */
export function deletionWriter(context: WriterContext, source: SourceRepository): Writer {
  const { name, log, random } = context;
  const ref = `refs/heads/${name}`;
  let count = 0;
  /** Undefined: the branch may be there or not. */
  let present: string | null | undefined = null;

  const create = async (target: Life): Promise<void> => {
    count += 1;
    const id = `${name}-${count}`;
    const next = await commitLocally(context, source, name, id);
    const outcome = await attempt(target, () => pushByGit(context, source, target, [`${next}:${ref}`]));
    log.moves.push({ id, isAtomic: true, moves: [{ ref, old: null, next }], isAcknowledged: !outcome.wasCut });
    present = outcome.wasCut ? undefined : next;
  };
  const deleteByApi = async (target: Life): Promise<void> => {
    const answer = await ask(context, target, `/branches/${name}`, { method: "DELETE" });
    const isFine = answer.status === 200 || (answer.status === 404 && present === undefined);
    if (!isFine) throw refused("a deletion", answer);
  };
  const remove = async (target: Life): Promise<void> => {
    const old = present;
    const byGit = typeof old === "string" && random() < 0.5;
    const outcome = await attempt(target, () => (byGit ? pushByGit(context, source, target, [`:${ref}`]) : deleteByApi(target)));
    const isAcknowledged = !outcome.wasCut;
    if (typeof old === "string") {
      log.moves.push({ id: `${name}-${count}-gone`, isAtomic: true, moves: [{ ref, old, next: null }], isAcknowledged });
    }
    present = isAcknowledged ? null : undefined;
  };
  /** After a deletion that was cut off both a push and a deletion have to work. */
  return (target) => (present === null || (present === undefined && random() < 0.5) ? create(target) : remove(target));
}
