// Which remotes have an API for webhooks: those of GitHub and GitLab, with a credential.
import { CoregitError } from "../domain/errors.ts";
import type { ApiSession } from "./api-session.ts";
import { openGitHubWebhooks } from "./github/webhooks.ts";
import { openGitLabWebhooks } from "./gitlab/webhooks.ts";
import type { Remotes, RemoteTarget } from "./remote.ts";
import { locateApi, locateRemote, projectName } from "./remote-url.ts";
import { ensureAt, removeAt, type WebhookApi, type Webhooks, type WebhookTarget } from "./webhooks.ts";

export type WebhooksOptions = Pick<Remotes, "signIn"> & {
  openSession(url: URL, target: RemoteTarget, signal: AbortSignal): ApiSession;
};

export function openWebhooks(options: WebhooksOptions): Webhooks {
  return {
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

async function openApi(options: WebhooksOptions, declared: WebhookTarget, signal: AbortSignal): Promise<WebhookApi> {
  const { provider, baseUrl, repositoryId } = declared;
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
  const parts = { session: options.openSession(url, target, signal), token, project, repositoryId };
  return provider === "github" ? openGitHubWebhooks(parts) : openGitLabWebhooks(parts);
}
