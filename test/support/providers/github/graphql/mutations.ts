// The two mutations that write git: `updateRefs`, the API's only compare-and-swap, and `createCommitOnBranch`.
import { isObjectId, type RefUpdate, ZERO_OID } from "../../bare-repository.ts";
import { writeCommit } from "../../commit-object.ts";
import type { GitHubCall } from "../call.ts";
import { isAllowed, READ, WRITE_CONTENTS } from "../credentials.ts";
import { apiText } from "../protection.ts";
import { WORKFLOW_FOLDER } from "../push-protection.ts";
import type { GitHubRepository } from "../repository.ts";
import { identityOf } from "../routes/commits.ts";
import type { GraphValue } from "./document.ts";
import { type GraphArgs, type GraphObject, GraphRefusal } from "./execute.ts";

type Input = { readonly [name: string]: GraphValue };

const unprocessable = (message: string): GraphRefusal => new GraphRefusal("UNPROCESSABLE", message);

function inputOf(args: GraphArgs): Input {
  const { input } = args;
  if (typeof input !== "object" || input === null || Array.isArray(input)) throw unprocessable("Argument 'input' is required");
  return input as Input;
}

const textOf = (value: GraphValue | undefined): string => (typeof value === "string" ? value : "");
const listOf = (value: GraphValue | undefined): readonly Input[] => (Array.isArray(value) ? (value as readonly Input[]) : []);

function writable(call: GitHubCall, repository: GitHubRepository | null, name: string): GitHubRepository {
  if (repository === null || !isAllowed(call.token, repository, READ)) throw new GraphRefusal("NOT_FOUND", name);
  if (!isAllowed(call.token, repository, WRITE_CONTENTS)) {
    const by = call.token?.kind === "installation" ? "integration" : "personal access token";
    throw new GraphRefusal("FORBIDDEN", `Resource not accessible by ${by}`);
  }
  if (repository.isArchived) throw unprocessable("Repository was archived so is read-only.");
  return repository;
}

type AskedUpdate = RefUpdate & { readonly isForced: boolean };

async function readUpdate(update: Input, repository: GitHubRepository): Promise<AskedUpdate & { readonly before: string }> {
  const ref = textOf(update.name);
  const after = textOf(update.afterOid);
  if (!/^refs\/[^/]+\/.+/.test(ref) || !(await repository.git.isValidRefName(ref)))
    throw unprocessable(`${ref} is not a valid ref name.`);
  if (!isObjectId(after)) throw unprocessable("afterOid is not a valid Git object ID");
  const current = (await repository.git.ref(ref)) ?? ZERO_OID;
  const asked = update.beforeOid ?? null;
  if (asked !== null && asked !== current) {
    throw unprocessable(`Reference ${ref} does not point at the expected object ${String(asked)}`);
  }
  return { ref, before: current, after, isForced: update.force === true };
}

async function checkUpdate(
  call: GitHubCall,
  repository: GitHubRepository,
  update: AskedUpdate & { readonly before: string },
): Promise<boolean> {
  const { before, after, isForced } = update;
  if (after !== ZERO_OID && !(await repository.git.isType(after, "commit"))) throw unprocessable("Object does not exist");
  const isRewrite = before !== ZERO_OID && after !== ZERO_OID && !(await repository.git.isAncestor(before, after));
  if (isRewrite && !isForced) throw unprocessable("Update is not a fast forward");
  const violation = await repository.violation(update, call.actor());
  if (violation !== null) throw unprocessable(apiText(violation));
  return isRewrite;
}

async function updateRefs(call: GitHubCall, args: GraphArgs): Promise<GraphObject> {
  const input = inputOf(args);
  const id = textOf(input.repositoryId);
  const found = [...call.world.repositories.values()].find(({ nodeId }) => nodeId === id) ?? null;
  const repository = writable(call, found, `Could not resolve to a node with the global id of '${id}'`);
  if (await repository.git.isEmpty()) throw unprocessable("Git Repository is empty.");
  const movements = [];
  for (const asked of listOf(input.refUpdates)) {
    const update = await readUpdate(asked, repository);
    movements.push({ ...update, isForced: await checkUpdate(call, repository, update) });
  }
  if (!(await repository.git.updateRefs(movements))) throw unprocessable("Reference cannot be updated");
  repository.announce(
    movements.filter(({ before, after }) => before !== after),
    call.actor(),
  );
  return { clientMutationId: textOf(input.clientMutationId) || null };
}

/** All files become 100644, whatever they were before; that is GitHub's. */
async function changedTree(repository: GitHubRepository, head: string, changes: Input): Promise<string> {
  const files = new Map(
    (await repository.git.list(head, { recursive: true })).map(({ path, mode, oid }) => [path, { mode, oid }]),
  );
  for (const { path } of listOf(changes.deletions)) {
    if (files.delete(Buffer.from(textOf(path)).toString("latin1"))) continue;
    throw unprocessable(`A path was requested for deletion which does not exist: ${textOf(path)}`);
  }
  for (const { path, contents } of listOf(changes.additions)) {
    const key = Buffer.from(textOf(path)).toString("latin1");
    files.delete(key);
    files.set(key, { mode: "100644", oid: await repository.git.write("blob", Buffer.from(textOf(contents), "base64")) });
  }
  const tree = await repository.git.writeTree(files);
  if (tree === null) throw unprocessable("A path was requested which is not valid");
  return tree;
}

function checkChanges(call: GitHubCall, repository: GitHubRepository, changes: Input): void {
  const additions = listOf(changes.additions);
  const bytes = additions.reduce((sum, { contents }) => sum + textOf(contents).length, 0);
  if (bytes > call.world.sizes.graphqlBytes) throw unprocessable("The file changes are too large");
  const paths = [...additions, ...listOf(changes.deletions)].map(({ path }) => textOf(path));
  const mayWorkflows = isAllowed(call.token, repository, { permission: "workflows", level: "write" });
  if (!mayWorkflows && paths.some((path) => path.startsWith(WORKFLOW_FOLDER))) {
    throw new GraphRefusal("FORBIDDEN", "Resource not accessible by personal access token");
  }
}

async function createCommitOnBranch(call: GitHubCall, args: GraphArgs): Promise<GraphObject> {
  const input = inputOf(args);
  const branch = (input.branch ?? {}) as Input;
  const name = textOf(branch.repositoryNameWithOwner);
  const text = `Could not resolve to a Repository with the name '${name}'.`;
  const repository = writable(call, call.world.findRepository(name), text);
  const ref = `refs/heads/${textOf(branch.branchName).replace(/^refs\/heads\//, "")}`;
  const head = await repository.git.ref(ref);
  if (head === null) throw new GraphRefusal("NOT_FOUND", `A branch with the name '${ref}' does not exist.`);
  if (textOf(input.expectedHeadOid) !== head) {
    const expected = textOf(input.expectedHeadOid);
    throw new GraphRefusal("STALE_DATA", `Expected branch to point to "${expected}" but it did not. Pull and try again.`);
  }
  const changes = (input.fileChanges ?? {}) as Input;
  checkChanges(call, repository, changes);
  const tree = await changedTree(repository, head, changes);
  const identity = identityOf(call.actor(), call.nowMs);
  const { headline, body } = (input.message ?? {}) as Input;
  const message = [textOf(headline), textOf(body)].filter(Boolean).join("\n\n");
  const after = await writeCommit(repository.git, { tree, parents: [head], author: identity, committer: identity, message });
  repository.verified.add(after);
  const update = { ref, before: head, after };
  const violation = await repository.violation(update, call.actor());
  if (violation !== null) throw unprocessable(apiText(violation));
  if (!(await repository.git.updateRefs([update]))) throw new GraphRefusal("STALE_DATA", "Pull and try again.");
  repository.announce([{ ...update, isForced: false }], call.actor());
  const url = `${call.links.siteUrl}/${repository.fullName}/commit/${after}`;
  return {
    commit: { oid: after, url, tree: { oid: tree } },
    ref: { name: ref.slice("refs/heads/".length) },
    clientMutationId: null,
  };
}

export function mutationRoot(call: GitHubCall): GraphObject {
  return {
    updateRefs: (args) => updateRefs(call, args),
    createCommitOnBranch: (args) => createCommitOnBranch(call, args),
  };
}
