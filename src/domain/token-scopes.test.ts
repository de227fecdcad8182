import { describe, expect, test } from "vitest";
import { checkScope, hasRight, namedRepositories, type Scopes } from "./token-scopes.ts";

const MINE = { namespace: "default", slug: "mine" };
const TEAMS = { namespace: "team", slug: "mine" };

describe("a scope", () => {
  test.each(["repos:*", "repos:mine", "repos:a.b_c-d", "repos:team/mine", "repos:default/mine"])(
    "%s names repositories",
    (scope) => {
      expect(checkScope(scope)).toBeNull();
    },
  );

  test.each([
    "",
    "*",
    "repos",
    "repos:",
    "repos:/mine",
    "repos:team/",
    "repos:team/*",
    "repos:a/b/c",
    "repos:Team/x",
    "repos:mine.git",
  ])("%j names none", (scope) => expect(checkScope(scope)).not.toBeNull());

  test.each<[string, Scopes, boolean[]]>([
    ["of one right has only it", { "repos:mine": ["read"] }, [true, false, false, false]],
    ["to write lets read", { "repos:mine": ["write"] }, [true, true, false, false]],
    ["of a bare slug is of the default namespace", { "repos:default/mine": ["read", "write"] }, [true, true, false, false]],
    ["of a namespace is of no other", { "repos:team/mine": ["read"] }, [false, false, true, false]],
    ["of all is of all", { "repos:*": ["read"] }, [true, false, true, false]],
    ["of all adds to the others", { "repos:*": ["read"], "repos:mine": ["write"] }, [true, true, true, false]],
    ["of nothing has no right", {}, [false, false, false, false]],
  ])("%s", (_, scopes, expected) => {
    const rights = [MINE, TEAMS].flatMap((name) => [hasRight(scopes, name, "read"), hasRight(scopes, name, "write")]);
    expect(rights).toEqual(expected);
  });
});

test("the repositories that scopes name are those, or all", () => {
  expect(namedRepositories({ "repos:mine": ["read"], "repos:team/mine": ["write"] })).toEqual([MINE, TEAMS]);
  expect(namedRepositories({ "repos:mine": ["read"], "repos:*": ["write"] })).toBeNull();
});
