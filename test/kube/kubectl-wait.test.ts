// What `kubectl wait` and kstatus answer in every state that a RepoSync can be in: never that all is well when it is not, and
// never that something is under way when nothing will happen any more.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SECRET } from "../../src/operator/kinds.ts";
import type { GitHttpServer } from "../support/git-http-server.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { serveSource } from "../support/test-remotes.ts";

let harness: OperatorHarness;
let source: SourceRepository;
let server: GitHttpServer & { readonly remoteUrl: string };

beforeAll(async () => {
  source = await createSourceRepository();
  await source.commit({ "README.md": "Hello\n" });
  server = await serveSource(source);
  harness = await startOperatorHarness();
  await harness.world.startEngine();
});

afterEach(async () => {
  expect(await harness.brokenInvariants()).toEqual([]);
});

afterAll(async () => {
  await harness[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await source[Symbol.asyncDispose]();
});

type Answer = { readonly Ready: boolean; readonly Stalled: boolean; readonly Reconciling: boolean };

/** Which of the conditions `kubectl wait` finds True now. */
async function waitFor(name: string): Promise<Answer> {
  const holds = async (condition: string): Promise<boolean> => {
    const place = ["--namespace", harness.namespace, "--timeout=0"];
    const waited = harness.cluster.kubectl("wait", `--for=condition=${condition}`, `reposync/${name}`, ...place);
    return await waited.then(
      () => true,
      (error: unknown) => {
        expect(String(error)).toMatch(/timed out|condition not met/);
        return false;
      },
    );
  };
  const [Ready, Stalled, Reconciling] = await Promise.all([holds("Ready"), holds("Stalled"), holds("Reconciling")]);
  return { Ready, Stalled, Reconciling };
}

const READY: Answer = { Ready: true, Stalled: false, Reconciling: false };
const STALLED: Answer = { Ready: false, Stalled: true, Reconciling: false };
const RETRYING: Answer = { Ready: false, Stalled: false, Reconciling: true };
const UNSEEN: Answer = { Ready: false, Stalled: false, Reconciling: false };

const quiet = () => ({ remote: server.remoteUrl, interval: "0s" });

describe("kubectl wait", () => {
  test("finds a RepoSync that works Ready, and one that is suspended after a success too", async () => {
    await harness.create("RepoSync", "well", quiet());
    await harness.untilReady("RepoSync", "well", "True", "Synced");
    expect(await waitFor("well")).toEqual(READY);
    await harness.patch("RepoSync", "well", { spec: { suspend: true } });
    await harness.untilReady("RepoSync", "well", "True", "Suspended");
    expect(await waitFor("well")).toEqual(READY);
  });

  test("finds what nobody will retry Stalled, and what is retried Reconciling", async () => {
    await harness.create("RepoSync", "stuck", { ...quiet(), connectionRef: { name: "nowhere" } });
    await harness.create("RepoSync", "trying", { ...quiet(), remote: `${server.url}/nothing.git` });
    await harness.untilReady("RepoSync", "stuck", "False", "ConnectionMissing");
    await harness.untilReady("RepoSync", "trying", "False", "RemoteNotFound");
    expect(await Promise.all([waitFor("stuck"), waitFor("trying")])).toEqual([STALLED, RETRYING]);
  });

  test("finds nothing True of a RepoSync that is suspended before its first success", async () => {
    await harness.create("RepoSync", "asleep", { ...quiet(), suspend: true });
    await harness.untilReady("RepoSync", "asleep", "False", "Suspended");
    expect(await waitFor("asleep")).toEqual(UNSEEN);
  });

  test("does not take the answer to an old spec for one to the new, nor silence for one", async () => {
    await harness.create("RepoSync", "outdated", quiet());
    await harness.untilReady("RepoSync", "outdated", "True", "Synced");
    await harness.stopOperator();
    await harness.patch("RepoSync", "outdated", { spec: { remote: `${server.url}/nothing.git` } });
    await harness.create("RepoSync", "unseen", quiet());
    expect((await harness.get("RepoSync", "unseen"))?.status).toEqual({ observedGeneration: -1 });
    expect(await Promise.all([waitFor("outdated"), waitFor("unseen")])).toEqual([UNSEEN, UNSEEN]);
    await harness.restart();
    await harness.untilReady("RepoSync", "outdated", "False", "RemoteNotFound");
    await harness.untilReady("RepoSync", "unseen", "True", "Synced");
    expect(await Promise.all([waitFor("outdated"), waitFor("unseen")])).toEqual([RETRYING, READY]);
  });

  test("sees the end of one that is deleted", async () => {
    await harness.create("RepoSync", "ending", quiet());
    await harness.untilReady("RepoSync", "ending", "True", "Synced");
    const place = ["--namespace", harness.namespace, "--timeout=20s"];
    const gone = harness.cluster.kubectl("wait", "--for=delete", "reposync/ending", ...place);
    await harness.delete("RepoSync", "ending");
    await gone;
  });
});

describe("kubectl describe", () => {
  test("tells the story: what is wrong, since when, and each turn as an Event", async () => {
    await harness.create("RepoSync", "told", { ...quiet(), remote: `${server.url}/nothing.git` });
    await harness.untilReady("RepoSync", "told", "False", "RemoteNotFound");
    await harness.patch("RepoSync", "told", { spec: { remote: server.remoteUrl } });
    await harness.untilReady("RepoSync", "told", "True", "Synced");
    const place = ["--namespace", harness.namespace];
    const story = await harness.cluster.kubectl("describe", "reposync/told", ...place);
    expect(story).toMatch(/Reason: +Synced/);
    expect(story).toMatch(/Warning +RemoteNotFound/);
    expect(story).toMatch(/Normal +Synced/);
  });

  test("of a RepoSync that fails for its Connection names that, and the keys that its Secret needs", async () => {
    const { cluster, namespace } = harness;
    await cluster.api.create(SECRET, namespace, { metadata: { name: "junk" }, stringData: { tokn: "x" } });
    await harness.create("Connection", "junk", { provider: "git", secretRef: { name: "junk" } });
    await harness.create("RepoSync", "keyless", { ...quiet(), connectionRef: { name: "junk" } });
    await harness.untilReady("RepoSync", "keyless", "False", "SecretInvalid");
    const story = await cluster.kubectl("describe", "reposync/keyless", "--namespace", namespace);
    expect(story).toMatch(
      /Message: +Connection junk: The Secret has no credential: it needs the keys token, or username and password\.\n/,
    );
    expect(story).toMatch(/Warning +SecretInvalid/);
  });
});
