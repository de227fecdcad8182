// Runs native `git upload-pack` for file remotes under test, without the limits that the program's own runner adds.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { LocalUploadPackCommand, RunLocalUploadPack } from "../../src/remotes/git/local-client.ts";

export type RecordedUploadPacks = {
  readonly run: RunLocalUploadPack;
  readonly commands: LocalUploadPackCommand[];
  /** Processes that have not ended. */
  readonly running: Set<number | undefined>;
};

export function recordUploadPacks(): RecordedUploadPacks {
  const commands: LocalUploadPackCommand[] = [];
  const running = new Set<number | undefined>();
  const run: RunLocalUploadPack = (command, signal) => {
    commands.push(command);
    const step = command.step === "announce" ? "--http-backend-info-refs" : "--stateless-rpc";
    const child = spawn("git", ["upload-pack", "--strict", step, "--", command.directory], {
      env: {
        PATH: process.env.PATH,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CONFIG_COUNT: "1",
        GIT_CONFIG_KEY_0: "safe.directory",
        GIT_CONFIG_VALUE_0: command.directory,
        GIT_PROTOCOL: command.protocol,
      },
      stdio: ["pipe", "pipe", "ignore"],
      signal,
      killSignal: "SIGKILL",
    });
    child.on("error", () => undefined);
    running.add(child.pid);
    const ended = once(child, "close").finally(() => running.delete(child.pid));
    ended.catch(() => undefined);
    return {
      stdin: child.stdin,
      stdout: child.stdout,
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        child.stdout.destroy();
        await ended.catch(() => undefined);
      },
    };
  };
  return { run, commands, running };
}
