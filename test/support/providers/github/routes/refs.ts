// Refs: fast-forward only unless forced, and 422 rather than 404 for what is not there. Moving one is no compare-and-swap: a ref
// that somebody else set back still takes a fast-forward.
import { isObjectId, type RefUpdate, ZERO_OID } from "../../bare-repository.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import { READ_CONTENTS, WRITE_CONTENTS } from "../credentials.ts";
import { refJson } from "../git-models.ts";
import { apiText } from "../protection.ts";
import { emptyRepository, notFound, unprocessable } from "../refusals.ts";
import type { GitHubRepository } from "../repository.ts";

const PAGE = "rest/git/refs#update-a-reference";

async function showRef(call: GitHubCall, repository: GitHubRepository, ref: string, oid: string): Promise<RouteAnswer> {
  const type = (await repository.git.info(oid))?.type ?? "commit";
  return { status: 200, json: refJson(ref, oid, type, call.view(repository)) };
}

/** Moves one ref for the API, or refuses in its words. Gives whether anything moved. */
export async function moveRef(
  call: GitHubCall,
  repository: GitHubRepository,
  update: RefUpdate & { readonly before: string },
): Promise<void> {
  const violation = await repository.violation(update, call.actor());
  if (violation !== null) throw unprocessable(apiText(violation), PAGE);
  if (!(await repository.git.updateRefs([update]))) throw unprocessable("Reference cannot be updated", PAGE);
  const isForced =
    update.before !== ZERO_OID && update.after !== ZERO_OID && !(await repository.git.isAncestor(update.before, update.after));
  repository.announce([{ ...update, isForced }], call.actor());
}

async function getRef(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository("rest/git/refs#get-a-reference");
  const ref = `refs/${call.parameter("ref")}`;
  const oid = await repository.readRef(ref);
  if (oid === null) throw notFound("rest/git/refs#get-a-reference");
  return showRef(call, repository, ref, oid);
}

async function matchingRefs(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository("rest/git/refs#list-matching-references");
  const prefix = `refs/${call.parameter("ref")}`;
  const refs = [...(await repository.git.refs())].filter(([name]) => name.startsWith(prefix));
  const shown = refs.map(async ([name, oid]) => {
    const type = (await repository.git.info(oid))?.type ?? "commit";
    return refJson(name, oid, type, call.view(repository));
  });
  return { status: 200, json: await Promise.all(shown) };
}

async function checkTarget(repository: GitHubRepository, oid: string, ref: string): Promise<void> {
  if (!isObjectId(oid)) throw unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].", PAGE);
  const object = await repository.git.info(oid);
  if (object === null) throw unprocessable("Object does not exist", PAGE);
  if (ref.startsWith("refs/heads/") && object.type !== "commit") throw unprocessable("Object is not a commit", PAGE);
}

async function createRef(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  const page = "rest/git/refs#create-a-reference";
  const ref = call.text("ref") ?? "";
  if (!/^refs\/[^/]+\/.+/.test(ref) || !(await repository.git.isValidRefName(ref))) {
    throw unprocessable(`${ref} is not a valid ref name.`, page);
  }
  if (await repository.git.isEmpty()) throw emptyRepository(page);
  const after = call.text("sha") ?? "";
  await checkTarget(repository, after, ref);
  if ((await repository.git.ref(ref)) !== null) throw unprocessable("Reference already exists", page);
  await moveRef(call, repository, { ref, before: ZERO_OID, after });
  const answer = await showRef(call, repository, ref, after);
  return { ...answer, status: 201, headers: { location: `${call.links.apiUrl}/repos/${repository.fullName}/git/${ref}` } };
}

async function updateRef(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  if (await repository.git.isEmpty()) throw emptyRepository(PAGE);
  const ref = `refs/${call.parameter("ref")}`;
  const after = call.text("sha") ?? "";
  const before = await repository.git.ref(ref);
  if (before === null) throw unprocessable("Reference does not exist", PAGE);
  await checkTarget(repository, after, ref);
  if (before !== after) {
    const isForced = call.json.force === true;
    if (!isForced && !(await repository.git.isAncestor(before, after))) throw unprocessable("Update is not a fast forward", PAGE);
    await moveRef(call, repository, { ref, before, after });
  }
  return showRef(call, repository, ref, after);
}

async function deleteRef(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE_CONTENTS);
  const page = "rest/git/refs#delete-a-reference";
  if (await repository.git.isEmpty()) throw emptyRepository(page);
  const ref = `refs/${call.parameter("ref")}`;
  const before = await repository.git.ref(ref);
  if (before === null) throw unprocessable("Reference does not exist", page);
  if (ref === `refs/heads/${repository.defaultBranch}`) throw unprocessable("Cannot delete the default branch", page);
  await moveRef(call, repository, { ref, before, after: ZERO_OID });
  return { status: 204 };
}

export const refRoutes: readonly GitHubRoute[] = [
  { method: "GET", template: "/repos/{owner}/{repo}/git/ref/{ref}", greedy: "ref", answer: getRef },
  { method: "GET", template: "/repos/{owner}/{repo}/git/matching-refs/{ref}", greedy: "ref", answer: matchingRefs },
  { method: "POST", template: "/repos/{owner}/{repo}/git/refs", answer: createRef },
  { method: "PATCH", template: "/repos/{owner}/{repo}/git/refs/{ref}", greedy: "ref", answer: updateRef },
  { method: "DELETE", template: "/repos/{owner}/{repo}/git/refs/{ref}", greedy: "ref", answer: deleteRef },
];
