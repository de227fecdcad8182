// `coregit doctor` as it is run: a process of its own.
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { knowSecretsOfEnvironment } from "./secrets/declared-secrets.ts";
import { keepSaid } from "./secrets/evidence.ts";

const MAIN = join(import.meta.dirname, "../../src/main.ts");

export type Answer = { readonly code: number; readonly out: string; readonly err: string };

export function doctor(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Answer> {
  knowSecretsOfEnvironment(env);
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env.PATH, TMPDIR: tmpdir(), ...env } };
    execFile(process.execPath, [MAIN, "doctor", ...args], options, (error, out, err) => {
      keepSaid("the output of coregit doctor", `${out}\n${err}`);
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, out, err });
    });
  });
}
