// The server side of clone and fetch over stateless HTTP, by native git. Knows directories and bytes, no HTTP.
import { HIDDEN_REFS } from "../domain/ref-name.ts";
import { feed } from "./feed.ts";
import type { GitProtocol } from "./git-environment.ts";
import { type GitCommand, gitFailure, startGit } from "./git-process.ts";

/** A clone of a large repository over a slow line; a client that reads nothing for as long is gone. */
const DEADLINE_MS = 6 * 3_600_000;

/**
 * What a client may be given: shallow, filtered and any commit that a ref reaches. Filters that need to look at every
 * object of a pack are left out, as their cost is not bounded by the answer.
 */
const CONFIGURATION = [
  "uploadpack.allowFilter=true",
  "uploadpackfilter.allow=false",
  "uploadpackfilter.blob:none.allow=true",
  "uploadpackfilter.blob:limit.allow=true",
  "uploadpackfilter.tree.allow=true",
  "uploadpackfilter.tree.maxDepth=16",
  "uploadpackfilter.object:type.allow=true",
  "uploadpackfilter.combine.allow=true",
  "uploadpack.allowReachableSHA1InWant=true",
  `uploadpack.hideRefs=${HIDDEN_REFS}`,
].flatMap((setting) => ["-c", setting]);

/** The versions that a `Git-Protocol` header can ask for; anything else in it is as if it were not there. */
export function readProtocol(header: string | null): GitProtocol | null {
  return header === "version=1" || header === "version=2" ? header : null;
}

type Exchange = {
  /** Absolute path of a bare repository. */
  readonly gitDir: string;
  readonly protocol: GitProtocol | null;
  readonly signal: AbortSignal;
};

/** What `info/refs` answers after its service line. Stopping the iteration ends git. @throws CoregitError `Internal`. */
export function advertiseRefs(exchange: Exchange): AsyncGenerator<Uint8Array> {
  return converse(exchange, ["--http-backend-info-refs"], null);
}

/** Answers one request, whose body is `input`, as git writes it. Stopping the iteration ends git. @throws CoregitError `Internal`. */
export function uploadPack(exchange: Exchange, input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return converse(exchange, [], input);
}

async function* converse(
  { gitDir, protocol, signal }: Exchange,
  options: readonly string[],
  input: AsyncIterable<Uint8Array> | null,
): AsyncGenerator<Uint8Array> {
  const args = [...CONFIGURATION, "upload-pack", "--stateless-rpc", "--strict", ...options, gitDir];
  const command: GitCommand = { args, gitDir: null, protocol, signal, deadlineMs: DEADLINE_MS };
  await using git = startGit(command);
  // A client that goes away in its request ends git's input, and git's exit tells.
  const sent = input === null ? git.stdin.end() : feed(git, input).catch(() => undefined);
  let hasAnswered = false;
  for await (const chunk of git.stdout) {
    hasAnswered = true;
    yield chunk;
  }
  await sent;
  const exit = await git.exited;
  signal.throwIfAborted();
  // A refusal stands in the answer, as an ERR packet, and must reach the client whole.
  if (exit.code !== 0 && !hasAnswered) throw gitFailure(command, exit);
}
