// GitHub's JSON for git objects and refs.
import type { TreeItem } from "../bare-repository.ts";
import type { CommitObject, Person } from "../commit-object.ts";
import { type Json, type Links, userJson } from "./models.ts";
import type { GitHubRepository } from "./repository.ts";

export type ObjectView = { readonly repository: GitHubRepository; readonly links: Links };

export const repositoryUrl = ({ repository, links }: ObjectView): string => `${links.apiUrl}/repos/${repository.fullName}`;
const siteUrl = ({ repository, links }: ObjectView): string => `${links.siteUrl}/${repository.fullName}`;

export const nodeId = (kind: string, text: string): string => `${kind}_${Buffer.from(text).toString("base64url")}`;

function verification(view: ObjectView, oid: string): Json {
  const isVerified = view.repository.verified.has(oid);
  return {
    verified: isVerified,
    reason: isVerified ? "valid" : "unsigned",
    signature: isVerified ? "-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n" : null,
    payload: isVerified ? "" : null,
    verified_at: isVerified ? new Date(0).toISOString() : null,
  };
}

/** Dates come out in UTC, whatever offset the commit has. */
function personJson({ name, email, date }: Person): Json {
  return { name, email, date: new Date(date).toISOString().replace(".000Z", "Z") };
}

function parentsJson(commit: CommitObject, view: ObjectView, path: string): readonly Json[] {
  return commit.parents.map((sha) => ({
    sha,
    url: `${repositoryUrl(view)}${path}/${sha}`,
    html_url: `${siteUrl(view)}/commit/${sha}`,
  }));
}

/** Of `/git/commits`. */
export function gitCommitJson(commit: CommitObject, view: ObjectView): Json {
  return {
    sha: commit.oid,
    node_id: nodeId("C", `${view.repository.id}:${commit.oid}`),
    url: `${repositoryUrl(view)}/git/commits/${commit.oid}`,
    html_url: `${siteUrl(view)}/commit/${commit.oid}`,
    author: personJson(commit.author),
    committer: personJson(commit.committer),
    tree: { sha: commit.tree, url: `${repositoryUrl(view)}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: parentsJson(commit, view, "/git/commits"),
    verification: verification(view, commit.oid),
  };
}

/** Of `/commits`. The people are those of GitHub; a commit that nobody there made has null. */
export function commitJson(commit: CommitObject, view: ObjectView): Json {
  const url = `${repositoryUrl(view)}/commits/${commit.oid}`;
  return {
    sha: commit.oid,
    node_id: nodeId("C", `${view.repository.id}:${commit.oid}`),
    url,
    html_url: `${siteUrl(view)}/commit/${commit.oid}`,
    comments_url: `${url}/comments`,
    commit: {
      url: `${repositoryUrl(view)}/git/commits/${commit.oid}`,
      author: personJson(commit.author),
      committer: personJson(commit.committer),
      message: commit.message,
      comment_count: 0,
      tree: { sha: commit.tree, url: `${repositoryUrl(view)}/git/trees/${commit.tree}` },
      verification: verification(view, commit.oid),
    },
    author: null,
    committer: userJson(view.repository.owner, view.links),
    parents: parentsJson(commit, view, "/commits"),
  };
}

export function refJson(ref: string, oid: string, type: string, view: ObjectView): Json {
  return {
    ref,
    node_id: nodeId("REF", `${view.repository.id}:${ref}`),
    url: `${repositoryUrl(view)}/git/${ref}`,
    object: { sha: oid, type, url: `${repositoryUrl(view)}/git/${type}s/${oid}` },
  };
}

export function treeJson(oid: string, items: readonly TreeItem[], isTruncated: boolean, view: ObjectView): Json {
  const tree = items.map((item) => ({
    path: Buffer.from(item.path, "latin1").toString("utf8"),
    mode: item.mode,
    type: item.type,
    sha: item.oid,
    ...(item.size === null ? {} : { size: item.size }),
    ...(item.type === "commit" ? {} : { url: `${repositoryUrl(view)}/git/${item.type}s/${item.oid}` }),
  }));
  return { sha: oid, url: `${repositoryUrl(view)}/git/trees/${oid}`, tree, truncated: isTruncated };
}
