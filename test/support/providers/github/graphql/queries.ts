// The few things that can be asked of GitHub's GraphQL besides writing.
import type { GitHubCall } from "../call.ts";
import { isAllowed, READ } from "../credentials.ts";
import type { GitHubRepository } from "../repository.ts";
import { type GraphNode, type GraphObject, GraphRefusal } from "./execute.ts";

async function refNode(repository: GitHubRepository, qualifiedName: string): Promise<GraphNode> {
  const name = qualifiedName.startsWith("refs/") ? qualifiedName : `refs/heads/${qualifiedName}`;
  const oid = await repository.readRef(name);
  if (oid === null) return null;
  const tree = await repository.git.resolve(oid, "tree");
  return { id: `REF_${name}`, name: name.replace(/^refs\/\w+\//, ""), target: { oid, tree: { oid: tree } } };
}

function repositoryNode(repository: GitHubRepository): GraphObject {
  return {
    id: repository.nodeId,
    databaseId: repository.id,
    name: repository.name,
    nameWithOwner: repository.fullName,
    isPrivate: repository.isPrivate,
    isArchived: repository.isArchived,
    isEmpty: () => repository.git.isEmpty(),
    defaultBranchRef: () => refNode(repository, repository.defaultBranch),
    ref: ({ qualifiedName }) => refNode(repository, String(qualifiedName)),
    object: async ({ expression }) => {
      const oid = await repository.git.resolve(String(expression), "object");
      return oid === null ? null : { oid };
    },
  };
}

export function queryRoot(call: GitHubCall): GraphObject {
  return {
    viewer: () => ({ login: call.actor().login, databaseId: call.actor().id }),
    repository: ({ owner, name, followRenames }) => {
      const known = call.world.findRepository(`${owner}/${name}`);
      const repository = known ?? (followRenames === false ? null : call.world.findMoved(`${owner}/${name}`));
      if (repository !== null && isAllowed(call.token, repository, READ)) return repositoryNode(repository);
      throw new GraphRefusal("NOT_FOUND", `Could not resolve to a Repository with the name '${owner}/${name}'.`);
    },
  };
}
