import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockDataDir } from "./data-dir-lock.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "coregit-lock-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("the lock of a data directory", () => {
  test("is held once, by whatever name the directory is given, and free again afterwards", async () => {
    const alias = `${directory}-alias`;
    await symlink(directory, alias);
    try {
      const lock = await lockDataDir(directory);
      await expect(lockDataDir(alias)).rejects.toThrow(/^Another coregit is running on the data directory /);
      await lock[Symbol.asyncDispose]();
      await (await lockDataDir(alias))[Symbol.asyncDispose]();
    } finally {
      await rm(alias, { force: true });
    }
  });

  test("is of one directory: another has its own", async () => {
    await using _one = await lockDataDir(join(directory, "one"));
    await using _two = await lockDataDir(join(directory, "two"));
  });

  test("outlives no process: a killed holder leaves it free", async () => {
    const module = JSON.stringify(new URL("./data-dir-lock.ts", import.meta.url).href);
    const program = `const { lockDataDir } = await import(${module}); await lockDataDir(process.argv[1]); console.log("held"); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    await expect(lockDataDir(directory)).rejects.toThrow("Another coregit is running");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await (await lockDataDir(directory))[Symbol.asyncDispose]();
  });
});
