// Which server client commands talk to, and with which key: what is set, else the standalone that runs on the data folder.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Environment } from "../config/env.ts";
import { MASTER_KEY_FILE } from "../config/secrets.ts";
import { CliError, EXIT } from "./exit.ts";

export type ServerAddress = { readonly url: string; readonly apiKey: string };

/** Written by a running standalone: `{ "url": "http://…" }`. */
export const STANDALONE_FILE = "standalone.json";

/** @throws CliError when no server or no key is known. */
export async function locateServer(environment: Environment, workingDirectory: string): Promise<ServerAddress> {
  const dataDir = resolve(workingDirectory, environment.COREGIT_DATA_DIR ?? ".coregit");
  const url = environment.COREGIT_URL ?? (await standaloneUrl(dataDir));
  if (url === null) {
    throw new CliError(
      EXIT.failed,
      `No standalone runs on ${dataDir}. Start one with "coregit standalone", or set COREGIT_URL and COREGIT_API_KEY.`,
    );
  }
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : "")) {
    throw new CliError(EXIT.wrongUse, "COREGIT_URL must be a URL such as https://git.example.com.");
  }
  // A data folder's key goes to the data folder's own server only.
  const apiKey = environment.COREGIT_API_KEY ?? (environment.COREGIT_URL === undefined ? await masterKey(dataDir) : null);
  if (apiKey === null) throw new CliError(EXIT.wrongUse, "COREGIT_API_KEY is not set; the server needs an API key.");
  return { url: url.replace(/\/+$/, ""), apiKey };
}

async function standaloneUrl(dataDir: string): Promise<string | null> {
  const text = await readText(join(dataDir, STANDALONE_FILE));
  const parsed: unknown = text === null ? null : JSON.parse(text);
  return typeof parsed === "object" && parsed !== null && "url" in parsed && typeof parsed.url === "string" ? parsed.url : null;
}

async function masterKey(dataDir: string): Promise<string | null> {
  return (await readText(join(dataDir, MASTER_KEY_FILE)))?.trim() ?? null;
}

async function readText(file: string): Promise<string | null> {
  return readFile(file, "utf8").catch(() => null);
}
