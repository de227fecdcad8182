// Starts one of the server's programs as the server's account, with an environment that holds nothing of ours.

import { type ChildProcess, spawn } from "node:child_process";
import type { ServerAccount } from "./server-account.ts";

/** Messages in English and no locale of the machine; the database's own locale is fixed when it is made. */
const ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" };

/** Output and errors go to the file descriptor `output`. The program leads its own process group: a Ctrl-C is not for it. */
export function runProgram(serverAccount: ServerAccount, argv: readonly string[], output: number): ChildProcess {
  const { account, prefix } = serverAccount;
  const [program = "", ...args] = [...prefix, ...argv];
  return spawn(program, args, {
    cwd: "/",
    env: ENVIRONMENT,
    stdio: ["ignore", output, output],
    detached: true,
    ...(account !== null && prefix.length === 0 ? account : {}),
  });
}

/** Resolves when the program has ended, or could not be started. */
export async function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly error?: Error }> {
  const { promise, resolve } = Promise.withResolvers<{ code: number | null; error?: Error }>();
  child.once("exit", (code) => resolve({ code }));
  child.on("error", (error) => resolve({ code: null, error }));
  return await promise;
}
