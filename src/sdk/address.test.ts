import { describe, expect, test } from "vitest";
import { RESERVED_SLUGS as SERVER_RESERVED_SLUGS } from "../domain/slug.ts";
import { addressOf, nameParts, RESERVED_SLUGS, type Target } from "./address.ts";

const BASE = "https://git.example.com/host";
const at = (target: Target) => addressOf(BASE, target);
const url = (rest: string) => ({ url: `${BASE}/v1/${rest}` });

describe("an address", () => {
  test.each<[string, Target, string]>([
    ["of a bare slug", { repository: "site", path: ["tree"] }, "repos/site/tree"],
    ["of a namespace and slug", { repository: "team/site", path: [] }, "repos/team/site"],
    ["of what the API answered", { repository: { namespace: "team", slug: "site" }, path: ["raw"] }, "repos/team/site/raw"],
    ["of a slug called as a namespace may be", { repository: "tree/site", path: [] }, "repos/tree/site"],
    ["of no repository", { path: ["tokens", "tok_1"] }, "tokens/tok_1"],
    [
      "of a branch with slashes and odd characters",
      { repository: "site", path: ["branches", ...nameParts("fix/100%?#ü \\&+")] },
      "repos/site/branches/fix/100%25%3F%23%C3%BC%20%5C%26%2B",
    ],
    ["of a slug with more slashes, which the server refuses", { repository: "a/b/c", path: [] }, "repos/a/b%2Fc"],
    [
      "with a query, without what is not given",
      { path: ["repos"], query: { a: "x y&z=é", limit: 5, off: false, none: null, nothing: undefined } },
      "repos?a=x+y%26z%3D%C3%A9&limit=5&off=false",
    ],
  ])("%s", (_, target, rest) => {
    expect(at(target)).toEqual(url(rest));
  });

  test.each<[string, Target]>([
    ["a part that leads out of its route", { repository: "site", path: ["branches", ...nameParts("x/../../../tokens")] }],
    ["a dot", { repository: ".", path: [] }],
    ["a namespace that leads out", { repository: "../tokens", path: [] }],
    ["an empty slug", { repository: "", path: [] }],
    ["an empty id", { path: ["tokens", ""] }],
    ["half of a character", { repository: "site", path: ["tags", "\ud800"] }],
    ["a slug that is a word of the routes", { repository: "team/tree", path: [] }],
  ])("is refused for %s", (_, target) => {
    expect(at(target)).toEqual({ refusal: expect.stringMatching(/^".*" (cannot be part|is a word) .*\.$/) });
  });

  test("stays below its route for every name that it takes", () => {
    for (const name of ["%2e%2e", "..%2f", "%2E.", ".../x", "a..b", "..;"]) {
      const address = at({ repository: "site", path: ["branches", ...nameParts(name)] });
      const path = "url" in address ? new URL(address.url).pathname : "";
      expect(path.startsWith("/host/v1/repos/site/branches/"), name).toBe(true);
    }
  });

  test("knows the same reserved words as the server", () => {
    expect([...RESERVED_SLUGS]).toEqual([...SERVER_RESERVED_SLUGS]);
  });
});
