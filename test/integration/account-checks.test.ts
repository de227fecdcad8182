// Connections of resources and files are checked by themselves, against the GitHub double.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAccountChecks } from "../../src/sync/account-checks.ts";
import { createCatalog } from "../../src/sync/catalog.ts";
import { type GitHubDouble, startGitHub } from "../support/providers/github/start.ts";
import { TEST_KEYS } from "../support/quiet-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { openSyncWorld, type SyncWorld } from "../support/sync-world.ts";
import { until } from "../support/until.ts";

let github: GitHubDouble;
let world: SyncWorld;
beforeAll(async () => {
  github = await startGitHub();
  world = await openSyncWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await github[Symbol.asyncDispose]();
});

function startChecks() {
  const { database, remotes: accounts } = world;
  return openAccountChecks({ database, keys: TEST_KEYS, accounts, logger: silentLogger });
}

async function declare(name: string, token: string): Promise<string> {
  const { id } = await world.declarations.declareConnection({
    owner: { kind: "resource", ref: `uid-${name}` },
    namespace: "default",
    name,
    label: name,
    provider: "github",
    baseUrl: github.url,
    caPem: null,
    credential: { kind: "token", token },
    error: null,
  });
  return id;
}

const read = (id: string) => createCatalog(world.database).readConnection(id);
const isShown = (id: string, fields: Record<string, unknown>) =>
  until("the connection shows what the provider says", async () => {
    const row: Record<string, unknown> = { ...(await read(id)) };
    return Object.entries(fields).every(([name, value]) => row[name] === value);
  });

/** As if the last check had been long ago. */
async function age(id: string): Promise<void> {
  await world.database.transaction(async (tx) => {
    await tx.query("UPDATE connections SET checked_at = now() - interval '2 hours' WHERE id = $1", [id]);
    await tx.query("SELECT pg_notify('coregit_connection_changed', $1)", [id]);
  });
}

describe("a declared connection", () => {
  test("is checked when it is declared, and again when its credential changes", async () => {
    await using _checks = await startChecks();
    const id = await declare("one", github.addToken({ user: "octocat" }));
    await isShown(id, { externalUsername: "octocat", errorCode: null });
    await declare("one", github.addToken({ user: "hubot" }));
    await isShown(id, { externalUsername: "hubot", errorCode: null });
  });

  test("shows a token that was revoked, and that it was replaced", async () => {
    await using _checks = await startChecks();
    const token = github.addToken({ user: "octocat" });
    const id = await declare("two", token);
    await isShown(id, { externalUsername: "octocat" });
    github.revokeToken(token);
    await age(id);
    await isShown(id, { errorCode: "AuthenticationFailed", externalUsername: "octocat" });
    await declare("two", github.addToken({ user: "octocat" }));
    await isShown(id, { errorCode: null, externalUsername: "octocat" });
  });

  test("keeps what was known while the provider cannot be asked", async () => {
    const token = github.addToken({ user: "octocat" });
    const id = await declare("three", token);
    {
      await using _checks = await startChecks();
      await isShown(id, { externalUsername: "octocat" });
      github.faults.order(/GET .*user/, { kind: "reset" });
      await age(id);
      await until("the provider was asked", async () => github.faults.pending === 0);
    }
    expect(await read(id)).toMatchObject({ externalUsername: "octocat", errorCode: null });
  });

  test("is asked about once, however many processes check", async () => {
    const ids = await Promise.all(
      Array.from({ length: 12 }, (_, index) => declare(`many-${index}`, github.addToken({ user: "octocat" }))),
    );
    github.clear();
    await using _one = await startChecks();
    await using _two = await startChecks();
    for (const id of ids) await isShown(id, { externalUsername: "octocat" });
    expect(github.requests.filter(({ route }) => route === "GET /user")).toHaveLength(ids.length);
  });
});
