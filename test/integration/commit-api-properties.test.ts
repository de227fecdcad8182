// Whatever commits are made, the tree is what a plain map of files says, and a refused commit changes nothing.
import fc from "fast-check";
import { expect, test } from "vitest";
import { CoregitError } from "../../src/domain/errors.ts";
import { type ChangeEntry, readChanges } from "../../src/domain/file-change.ts";
import { EVERYTHING } from "../../src/domain/selection.ts";
import { listLeaves } from "../../src/domain/tree-diff.ts";
import type { RepositoryStore } from "../../src/repositories/store.ts";
import { createTestDatabase } from "../support/database.ts";
import { addRepository, openTestStore } from "../support/git-store.ts";

type Model = ReadonlyMap<string, string>;

const path = fc.array(fc.constantFrom("a", "b", "a.b", "a-b"), { minLength: 1, maxLength: 3 }).map((names) => names.join("/"));
const content = fc.constantFrom("one", "two", "one two", "");
const entry: fc.Arbitrary<ChangeEntry> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ action: fc.constant("put" as const), path, content }) },
  fc.record({ action: fc.constant("create" as const), path, content }),
  fc.record({ action: fc.constant("delete" as const), path }),
  fc.record({ action: fc.constant("rename" as const), path, new_path: path }),
  fc.record({ action: fc.constant("edit" as const), path, edits: fc.constant([{ old_string: "one", new_string: "1" }]) }),
);
const commits = fc.array(fc.uniqueArray(entry, { minLength: 1, maxLength: 4, selector: ({ path: key }) => key }), {
  maxLength: 6,
});

/** The files after the changes; null: they are refused. */
function apply(model: Model, entries: readonly ChangeEntry[]): Model | null {
  const touched = entries.flatMap(({ path: from, new_path: to }) => (to === undefined ? [from] : [from, to]));
  if (new Set(touched).size < touched.length || !entries.every((change) => fits(model, change))) return null;
  const moved = entries.filter(({ action }) => action === "delete" || action === "rename").map(({ path: gone }) => gone);
  const kept = [...model].filter(([name]) => !moved.includes(name));
  const files = new Map([...kept, ...entries.flatMap((change) => writtenBy(model, change))]);
  return isTree(files) && !isSame(model, files) ? files : null;
}

function fits(model: Model, { action, path: from, new_path: to = "" }: ChangeEntry): boolean {
  if (action === "put") return true;
  if (action === "create") return !model.has(from);
  if (action === "edit") return model.get(from)?.includes("one") ?? false;
  return model.has(from) && !model.has(to);
}

function writtenBy(model: Model, { action, path: at, new_path: to = "", content: text = "" }: ChangeEntry): [string, string][] {
  const before = model.get(at) ?? "";
  if (action === "delete") return [];
  if (action === "rename") return [[to, before]];
  return [[at, action === "edit" ? before.replace("one", "1") : text]];
}

const isTree = (files: Model) =>
  [...files.keys()].every((name) => ![...files.keys()].some((other) => other.startsWith(`${name}/`)));
const isSame = (before: Model, after: Model) =>
  before.size === after.size && [...after].every(([name, text]) => before.get(name) === text);

async function readModel(store: RepositoryStore, repository: Awaited<ReturnType<typeof addRepository>>): Promise<Model> {
  const reader = store.reader(repository);
  const head = await reader.readRef("refs/heads/main");
  if (head === null) return new Map();
  const leaves = await listLeaves(reader.readTree, (await reader.readCommit(head)).tree, EVERYTHING);
  const files = [...leaves].map(async ([name, { oid }]) => [name, Buffer.from(await reader.readBlob(oid)).toString()] as const);
  return new Map(await Promise.all(files));
}

test("commits lead to the files of a model, in this process and in one that reads them fresh", async () => {
  await using owned = await createTestDatabase();
  await using writer = await openTestStore(owned.database);
  await using fresh = await openTestStore(owned.database);
  const who = { name: "Ada", email: "ada@example.com", at: null };
  const common = { branch: "main", baseBranch: null, parentSha: null, message: "m\n", author: who, committer: who };
  let repositories = 0;
  await fc.assert(
    fc.asyncProperty(commits, async (list) => {
      repositories += 1;
      const repository = await addRepository(owned.database, `r${repositories}`);
      let model: Model = new Map();
      for (const entries of list) {
        const next = apply(model, entries);
        const signal = AbortSignal.timeout(10_000);
        const attempt = async () =>
          await writer.store.commit(
            repository,
            { ...common, changes: readChanges(entries), allowEmpty: false, actor: "test" },
            signal,
          );
        const made = await attempt().catch((error: unknown) => (error instanceof CoregitError ? null : Promise.reject(error)));
        expect({ entries, isMade: made !== null }).toEqual({ entries, isMade: next !== null });
        model = next ?? model;
        expect(await readModel(writer.store, repository)).toEqual(model);
      }
      expect(await readModel(fresh.store, repository)).toEqual(model);
    }),
    { numRuns: 60 },
  );
});
