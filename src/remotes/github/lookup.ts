// Repositories by name and by number at GitHub.
// Source: https://docs.github.com/en/rest/repos/repos#get-a-repository; /repositories/{id} is where its redirects of renamed ones lead.
import { notTheApi } from "../api-failure.ts";
import type { FindRepository } from "../repository-lookup.ts";
import { asking, openOctokit } from "./client.ts";

export const findGitHubRepository: FindRepository = async (session, token, repository) => {
  const octokit = await openOctokit(session, token);
  const address = "path" in repository ? `/repos/${repository.path}` : `/repositories/${repository.id}`;
  const { data } = await asking(session, () => octokit.request(`GET ${address}`));
  const { id, full_name } = (data ?? {}) as { readonly id?: unknown; readonly full_name?: unknown };
  if (!Number.isSafeInteger(Number(id)) || typeof full_name !== "string") throw notTheApi(session.url.host);
  return { id: String(id), path: full_name };
};
