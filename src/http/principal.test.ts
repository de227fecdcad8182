import { describe, expect, test } from "vitest";
import type { Right, Scopes } from "../domain/token-scopes.ts";
import { authorize, MASTER, type Principal } from "./principal.ts";

const token = (scopes: Scopes): Principal => ({ kind: "token", id: "tok_1", actor: "token:tok_1", scopes });

type Visibility = "private" | "public";

describe("a principal", () => {
  test.each<[string, Principal, Visibility, Right, string | null]>([
    ["the master key writes", MASTER, "private", "write", null],
    ["a reader reads", token({ "repos:site": ["read"] }), "private", "read", null],
    ["a reader knows that it may not write", token({ "repos:site": ["read"] }), "private", "write", "Forbidden"],
    ["a writer writes", token({ "repos:site": ["write"] }), "private", "write", null],
    ["a stranger knows nothing", token({ "repos:other": ["write"] }), "private", "read", "RepositoryNotFound"],
    ["a stranger knows nothing, writing", token({ "repos:other": ["write"] }), "private", "write", "RepositoryNotFound"],
    ["a stranger reads what is public", token({ "repos:other": ["read"] }), "public", "read", null],
    ["a stranger does not write what is public", token({ "repos:other": ["write"] }), "public", "write", "Forbidden"],
  ])("%s", (_, principal, visibility, right, code) => {
    const ask = () => authorize(principal, { namespace: "default", slug: "site", visibility }, right);
    if (code === null) expect(ask).not.toThrow();
    else expect(ask).toThrow(expect.objectContaining({ code }));
  });
});
