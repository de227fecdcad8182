import { describe, expect, it } from "vitest";
import { CoregitError, type ErrorCode } from "../domain/errors.ts";
import { parseOid } from "../domain/oid.ts";
import type { CommitApi, CommitPlan, Judgement } from "../remotes/commit-api.ts";
import { chooseTransport, mayBePushed } from "./choose-transport.ts";

const plan: CommitPlan = {
  branch: "main",
  expected: null,
  isEmptyRemote: false,
  changes: new Map(),
  tree: parseOid("1".repeat(40)),
  message: "",
  signature: { name: "A", email: "a@example.com", timestamp: 0, timezone: "+0000" },
  isAuthorDeclared: false,
  blobs: { size: async () => 0, read: async () => new Uint8Array() },
};

function api(judgement: Judgement): CommitApi {
  const commit = () => Promise.reject(new Error("Nothing is committed here."));
  return { calls: 0, lookup: null, judge: async () => judgement, commit };
}

const suited = (calls: number, isSigned = false): Judgement => ({ kind: "suited", calls, isSigned });
const unsuited: Judgement = { kind: "unsuited", reason: "writes no symbolic links (docs/link)" };
const choose = (transport: "api" | "git" | "auto", commitApi: CommitApi | null) =>
  chooseTransport(transport, { commitApi }, plan, AbortSignal.timeout(1000));

describe("the transport of an export", () => {
  it.each<[string, "api" | "git" | "auto", Judgement | null, "api" | "git"]>([
    ["by default the API for few requests", "auto", suited(20), "api"],
    ["by default git for more", "auto", suited(21), "git"],
    ["by default the API for many, when the commit is signed then", "auto", suited(100, true), "api"],
    ["by default git for still more, signed or not", "auto", suited(101, true), "git"],
    ["by default git for what the API cannot write", "auto", unsuited, "git"],
    ["by default git for a remote without an API", "auto", null, "git"],
    ["git where that is declared, whatever the API could", "git", suited(1, true), "git"],
    ["the API where that is declared, however many requests it takes", "api", suited(5_000), "api"],
  ])("is %s", async (_what, transport, judgement, expected) => {
    const own = judgement === null ? null : api(judgement);
    expect(await choose(transport, own)).toBe(expected === "api" ? own : null);
  });

  it("is refused where the API is declared and cannot write the plan, with its reason, or is not there", async () => {
    await expect(choose("api", api(unsuited))).rejects.toMatchObject({
      code: "TransportUnsuited",
      message: expect.stringContaining("The provider's API writes no symbolic links (docs/link)."),
    });
    await expect(choose("api", null)).rejects.toMatchObject({ code: "TransportUnsuited" });
  });

  it.each<["api" | "git" | "auto", ErrorCode, boolean]>([
    ["auto", "AccessDenied", true],
    ["auto", "TransportUnsuited", true],
    ["auto", "RemoteMoved", false],
    ["api", "AccessDenied", false],
    ["api", "TransportUnsuited", false],
  ])("declared as %s after %s may be pushed: %s", (transport, code, expected) => {
    expect(mayBePushed(transport, new CoregitError(code, "No."))).toBe(expected);
  });
});
