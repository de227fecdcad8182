// Projects by path and by number at GitLab.
// Source: https://docs.gitlab.com/api/projects/#retrieve-a-project
import { notTheApi } from "../api-failure.ts";
import type { FindRepository } from "../repository-lookup.ts";
import { openGitLab } from "./client.ts";

export const findGitLabProject: FindRepository = async (session, token, repository) => {
  const { projects } = await openGitLab(session, token);
  const project = await projects.show("path" in repository ? repository.path : Number(repository.id));
  const { id, path_with_namespace } = (project ?? {}) as { readonly id?: unknown; readonly path_with_namespace?: unknown };
  if (!Number.isSafeInteger(Number(id)) || typeof path_with_namespace !== "string") throw notTheApi(session.url.host);
  return { id: String(id), path: path_with_namespace };
};
