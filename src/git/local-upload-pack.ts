// The server side of a read from a repository on this machine: one `git upload-pack`, whose pipes the caller talks to.
import { type GitProcess, startGit } from "./git-process.ts";

type LocalUploadPackCommand = {
  /** Absolute, a git directory. */
  readonly directory: string;
  readonly step: "announce" | "request";
  readonly protocol: "version=2";
};

const STEP_OPTION = { announce: "--http-backend-info-refs", request: "--stateless-rpc" } as const;

/** Disposal, or the signal, ends git and whatever it started. */
export function runLocalUploadPack({ directory, step, protocol }: LocalUploadPackCommand, signal: AbortSignal): GitProcess {
  const args = [
    "upload-pack",
    "--strict",
    ...(step === "request" ? [] : ["--stateless-rpc"]),
    STEP_OPTION[step],
    "--",
    directory,
  ];
  return startGit({ args, gitDir: null, protocol, signal });
}
