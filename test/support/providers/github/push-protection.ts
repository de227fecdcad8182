// What GitHub refuses by content: secrets (push protection) and, without the right for it, workflow files.
import { Refusal } from "../answer.ts";
import { type GitHubToken, isAllowed } from "./credentials.ts";
import { notFound } from "./refusals.ts";
import type { GitHubRepository } from "./repository.ts";

export const WORKFLOW_FOLDER = ".github/workflows/";

/** @throws Refusal 422 as a repository rule violation when the content has the repository's stand-in for a secret. */
export function refuseSecret(repository: GitHubRepository, content: Buffer, page: string): void {
  if (repository.secret === null || !content.includes(repository.secret)) return;
  throw new Refusal(422, {
    message: "Repository rule violations found\n\nSecret detected in content.",
    documentation_url: `https://docs.github.com/${page}`,
    status: "422",
    metadata: {
      secret_scanning: { bypass_placeholders: [{ placeholder_id: "2aBcDeFgHiJkLmNoPqRsTuVwXyZ", token_type: "GITHUB_TEST" }] },
    },
  });
}

/** @throws Refusal 404, which looks as if the repository were not there, for a workflow file without the right for workflows. */
export function refuseWorkflow(token: GitHubToken | null, repository: GitHubRepository, path: string, page: string): void {
  if (!path.startsWith(WORKFLOW_FOLDER)) return;
  if (!isAllowed(token, repository, { permission: "workflows", level: "write" })) throw notFound(page);
}
