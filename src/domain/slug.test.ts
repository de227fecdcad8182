import { expect, test } from "vitest";
import { checkSlug } from "./slug.ts";

test.each(["a", "my-repo", "my_repo.v2", "0", "a".repeat(100)])("%s is a slug", (slug) => {
  expect(checkSlug(slug)).toBeNull();
});

test.each(["", "A", "-a", "a-", "a/b", "a b", "x.git", "a..b", "commits", "a".repeat(101)])("%j is none", (slug) => {
  expect(checkSlug(slug)).toMatch(/\.$/);
});
