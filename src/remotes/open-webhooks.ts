// Which remotes have an API for webhooks: those of GitHub and GitLab, with a credential.
import { CoregitError } from "../domain/errors.ts";
import type { ApiSession } from "./api-session.ts";
import { findGitHubRepository } from "./github/lookup.ts";
import { openGitHubWebhooks } from "./github/webhooks.ts";
import { findGitLabProject } from "./gitlab/lookup.ts";
import { openGitLabWebhooks } from "./gitlab/webhooks.ts";
import type { DeclaredTarget, Remotes, RemoteTarget } from "./remote.ts";
import { locateApi, locateRemote, projectName } from "./remote-url.ts";
import { ensureAt, removeAt, type WebhookApi, type Webhooks, type WebhookTarget } from "./webhooks.ts";

export type WebhooksOptions = Pick<Remotes, "signIn"> & {
  openSession(url: URL, target: RemoteTarget, signal: AbortSignal): ApiSession;
};

export function openWebhooks(options: WebhooksOptions): Webhooks {
  return {
    async identifyRepository(target, signal) {
      const { session: opened, token, project } = await openParts(options, target, signal);
      await using session = opened;
      const find = target.provider === "github" ? findGitHubRepository : findGitLabProject;
      return (await find(session, token, { path: project }))?.id ?? null;
    },
    async ensureWebhook(target, demand, signal) {
      await using api = await openApi(options, target, signal);
      return await ensureAt(api, demand);
    },
    async removeWebhook(target, of, signal) {
      await using api = await openApi(options, target, signal);
      await removeAt(api, of);
    },
  };
}

async function openApi(options: WebhooksOptions, target: WebhookTarget, signal: AbortSignal): Promise<WebhookApi> {
  const parts = { ...(await openParts(options, target, signal)), repositoryId: target.repositoryId };
  return target.provider === "github" ? openGitHubWebhooks(parts) : openGitLabWebhooks(parts);
}

/** A conversation with the target's API. @throws CoregitError `WebhookUnavailable` when it has none, and those of signing in. */
async function openParts(options: WebhooksOptions, declared: DeclaredTarget, signal: AbortSignal) {
  const { provider, baseUrl } = declared;
  const url = locateApi(provider, baseUrl);
  const project = projectName(declared, locateRemote({ ...declared, credential: null }));
  if (url === null || project === null) {
    throw new CoregitError("WebhookUnavailable", "A server of provider git has no API for webhooks.");
  }
  const target = await options.signIn(declared, signal);
  const { credential } = target;
  if (credential === null) {
    throw new CoregitError("WebhookUnavailable", "Without a credential no webhook can be made at the provider.");
  }
  // What stands in for a password is a token, at GitHub always and at GitLab where its API takes it.
  const token = credential.kind === "token" ? credential.token : credential.password;
  return { session: options.openSession(url, target, signal), token, project };
}
