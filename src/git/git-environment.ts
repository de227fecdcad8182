// What every git process sees of the world: nothing of the machine's or the user's configuration, no protocol to the
// outside, no prompt, no hook. Values that users choose never come in here; they are arguments or input.

/** Where git is looked for. The environment is wiped, so the machine's PATH does not count. */
const SEARCH_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/opt/local/bin";

const ENVIRONMENT = {
  PATH: SEARCH_PATH,
  HOME: "/dev/null",
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_ATTR_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_ALLOW_PROTOCOL: "",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_NO_LAZY_FETCH: "1",
} as const;

/**
 * Command-line configuration counts as protected, so no repository can undo it. Repositories are only ever opened by
 * the directory that we name, which is why their owner does not matter. Nothing that git writes here outlives the
 * machine on purpose, so it need not wait for the disk.
 */
const CONFIGURATION = [
  "core.hooksPath=/dev/null",
  "core.protectHFS=true",
  "core.protectNTFS=true",
  "core.fsync=none",
  "gc.auto=0",
  "protocol.allow=never",
  "safe.directory=*",
  "safe.bareRepository=explicit",
  "transfer.bundleURI=false",
] as const;

/** What a client may ask of the wire protocol; nothing else is ever put into GIT_PROTOCOL. */
export type GitProtocol = "version=1" | "version=2";

export function gitEnvironment(protocol: GitProtocol | null): Record<string, string> {
  return protocol === null ? { ...ENVIRONMENT } : { ...ENVIRONMENT, GIT_PROTOCOL: protocol };
}

export function gitArguments(gitDir: string | null, args: readonly string[], settings: readonly string[]): string[] {
  const configuration = [...CONFIGURATION, ...settings].flatMap((setting) => ["-c", setting]);
  return [...configuration, ...(gitDir === null ? [] : [`--git-dir=${gitDir}`]), ...args];
}
