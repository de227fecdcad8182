// The server side of a push into a repository on this machine: one `git receive-pack`, whose pipes the caller talks to.
import { type GitProcess, startGit } from "./git-process.ts";

type LocalReceivePackCommand = {
  /** Absolute, a git directory. */
  readonly directory: string;
  readonly step: "announce" | "request";
};

/** The repository is not a cache of ours: what a push leaves in it has to survive the machine. */
const SETTINGS = ["core.fsync=default"];

/** No hook of the repository runs. Disposal, or the signal, ends git and whatever it started. */
export function runLocalReceivePack({ directory, step }: LocalReceivePackCommand, signal: AbortSignal): GitProcess {
  const options = step === "announce" ? ["--stateless-rpc", "--http-backend-info-refs"] : ["--stateless-rpc"];
  return startGit({ args: ["receive-pack", ...options, "--", directory], settings: SETTINGS, gitDir: null, signal });
}
