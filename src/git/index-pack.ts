// A pack from outside becomes a pack with an index, or a reason why not. `index-pack --strict` checks every object and
// that every link leads to an object of the pack or of the repository; names in trees are judged by our own rules
// afterwards, which are stricter and can name the path.
import { createHash, type Hash } from "node:crypto";
import { CoregitError } from "../domain/errors.ts";
import { feed } from "./feed.ts";
import { type GitCommand, type GitExit, gitFailure, startGit } from "./git-process.ts";
import { decodePackHeader, PACK_HEADER_BYTES } from "./pack-header.ts";

/**
 * fsck's checks of names, which are turned into warnings here because git could not say where the name stands.
 * All else that fsck warns of is an error under --strict; what it calls info (old file modes such as 100664) is not.
 */
const LEFT_TO_PATH_RULES = ["emptyName", "fullPathname", "gitmodulesSymlink", "hasDot", "hasDotdot", "hasDotgit"];

export type PackLimits = {
  /** Bytes of the stream. */
  readonly maxPackBytes: number;
  readonly maxObjects: number;
  /** Address space of the git process. */
  readonly memoryBytes: number;
  /** Processor time of the git process, in seconds: a few kilobytes of deltas unfold to terabytes, one object at a time. */
  readonly gitCpuSeconds: number;
  /** Whether what the objects lead to has to be there. */
  readonly isLinked: boolean;
};

export type PackIntake = PackLimits & {
  /** Settled when the repository has what the pack may build on: git is started before, and fed after. Its rejection is thrown. */
  readonly ready: Promise<unknown>;
};

export type IndexedPack = {
  readonly name: string;
  /** Of the stream, as `objects`. git adds the objects that a thin pack builds on. */
  readonly bytes: number;
  readonly objects: number;
  /** SHA-256 of the stream. */
  readonly sha256: Buffer;
  /** Nothing that came leads to an object outside of it. Of what git added to a thin pack nothing is said. */
  readonly isSelfContained: boolean;
};

type Tally = { bytes: number; objects: number; readonly digest: Hash };

/** With this git says by its exit whether the pack leads out of itself. It checks the links as `--strict` alone does. */
const SELF_CONTAINED = "--check-self-contained-and-connected";
const NOT_SELF_CONTAINED = 1;

/**
 * Streams `source` into the repository's `objects/pack`. Whatever fails, no pack is left there; an error of `source` is thrown as it is.
 * @throws CoregitError `PackTooLarge`, `TooManyObjects`, `OutOfMemory`, `PackInvalid`, `ObjectInvalid`.
 */
export async function indexPack(
  gitDir: string,
  source: AsyncIterable<Uint8Array>,
  limits: PackIntake,
  signal: AbortSignal,
): Promise<IndexedPack> {
  const tally: Tally = { bytes: 0, objects: 0, digest: createHash("sha256") };
  const chunks = checked(source, limits, tally);
  // Nothing is started for what does not even begin like a pack that we take.
  const first = await chunks.next();
  const linked = [`--strict=${LEFT_TO_PATH_RULES.map((id) => `${id}=warn`).join(",")}`, SELF_CONTAINED];
  const args = ["index-pack", "--stdin", "--fix-thin", ...(limits.isLinked ? linked : ["--fsck-objects"])];
  const { memoryBytes, gitCpuSeconds: cpuSeconds } = limits;
  const command: GitCommand = { args, gitDir, memoryBytes, cpuSeconds, signal };
  await using git = startGit(command);
  let output = "";
  git.stdout.setEncoding("latin1").on("data", (text: string) => {
    output = (output + text).slice(0, 64);
  });
  await feed(git, resumed(first, chunks, limits.ready));
  const exit = await git.exited;
  signal.throwIfAborted();
  const [, name] = /^pack\t([0-9a-f]{40})\n/.exec(output) ?? [];
  const isTaken = exit.code === 0 || (limits.isLinked && exit.code === NOT_SELF_CONTAINED);
  if (!isTaken || name === undefined) throw packError(command, exit);
  const isSelfContained = limits.isLinked && exit.code === 0;
  return { name, bytes: tally.bytes, objects: tally.objects, sha256: tally.digest.digest(), isSelfContained };
}

async function* resumed(
  first: IteratorResult<Uint8Array>,
  rest: AsyncGenerator<Uint8Array>,
  ready: Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  try {
    await ready;
    if (first.done !== true) yield first.value;
    yield* rest;
  } finally {
    // Not awaited, as in `feed`.
    void rest.return(undefined).catch(() => undefined);
  }
}

/** Passes a pack on, from when its header is known to be fine, and keeps count. */
async function* checked(source: AsyncIterable<Uint8Array>, limits: PackLimits, tally: Tally): AsyncGenerator<Uint8Array> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of source) {
    tally.bytes += chunk.byteLength;
    if (tally.bytes > limits.maxPackBytes) throw tooLarge(limits.maxPackBytes);
    tally.digest.update(chunk);
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < PACK_HEADER_BYTES) continue;
    tally.objects = checkHeader(head, limits.maxObjects);
    yield head;
    head = null;
  }
  if (head !== null) throw new CoregitError("PackInvalid", "The pack ends before its header does.");
}

function checkHeader(head: Buffer, maxObjects: number): number {
  const objects = decodePackHeader(head);
  if (objects > maxObjects) {
    throw new CoregitError("TooManyObjects", `The pack holds ${objects} objects; at most ${maxObjects} are taken.`);
  }
  return objects;
}

function tooLarge(maxPackBytes: number): CoregitError {
  return new CoregitError("PackTooLarge", `The pack is larger than ${maxPackBytes} bytes.`);
}

/** git has no exit codes for these; the words are its untranslated ones (LC_ALL=C), fsck's check ids among them. */
function packError(command: GitCommand, exit: GitExit): CoregitError {
  if (exit.startError !== null || exit.wasAborted) return gitFailure(command, exit);
  const cause = new Error(exit.stderr.trim());
  if (exit.signal === "SIGXCPU") return new CoregitError("PackTooLarge", "The pack takes too long to unpack.", { cause });
  if (/out of memory|cannot allocate memory|unable to create thread/i.test(exit.stderr)) {
    return new CoregitError("OutOfMemory", "Reading the pack needs more memory than a git process may use.", { cause });
  }
  const [, oid, check] = /^error: object ([0-9a-f]{40}): (\w+): /m.exec(exit.stderr) ?? [];
  if (oid !== undefined) {
    return new CoregitError("ObjectInvalid", `Object ${oid} fails git's check ${check}.`, { cause, details: { oid, check } });
  }
  if (/fsck error|invalid object|cannot parse/i.test(exit.stderr)) {
    return new CoregitError("ObjectInvalid", "An object of the pack fails git's strict checks.", { cause });
  }
  return new CoregitError("PackInvalid", "The pack is truncated, corrupt or lacks objects.", { cause });
}
