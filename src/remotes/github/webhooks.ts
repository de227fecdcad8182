// Webhooks of a repository at GitHub. GitHub shows a secret as asterisks, and drops one that an update does not repeat.
// Source: https://docs.github.com/en/rest/repos/webhooks
import type { Octokit } from "octokit";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import { createQuote } from "../git/remote-text.ts";
import type { FoundWebhook, WebhookApi, WebhookDemand } from "../webhooks.ts";
import { asking, openOctokit } from "./client.ts";
import { isRefusal } from "./errors.ts";

export type WebhookParts = {
  readonly session: ApiSession;
  readonly token: string;
  /** `owner/repo` */
  readonly project: string;
  /** GitHub's number of the repository, which is asked instead of the name; null: it is not known. */
  readonly repositoryId: string | null;
};

const PAGE_SIZE = 100;
/** GitHub takes 20 webhooks of an event, Enterprise 250. */
const MAX_PAGES = 10;
const EVENTS = ["push"];

export async function openGitHubWebhooks({ session, token, project, repositoryId }: WebhookParts): Promise<WebhookApi> {
  const octokit = await openOctokit(session, token);
  // Where GitHub's redirects of renamed repositories lead.
  const hooks = `${repositoryId === null ? `/repos/${project}` : `/repositories/${repositoryId}`}/hooks`;
  return {
    list: () => listAll(session, octokit, hooks),
    async create(demand) {
      const hook = { name: "web", active: true, events: EVENTS, config: configOf(demand) };
      const made = await asking(session, () => octokit.request(`POST ${hooks}`, hook).catch(refused));
      if ("refusal" in made) return made;
      return { id: idOf(session, made.data ?? {}) };
    },
    async update(id, demand) {
      const hook = { active: true, events: EVENTS, config: configOf(demand) };
      await asking(session, () => octokit.request(`PATCH ${hooks}/${id}`, hook));
    },
    async remove(id) {
      await asking(session, () => octokit.request(`DELETE ${hooks}/${id}`).catch(unlessGone));
    },
    async revive(id) {
      await asking(session, () => octokit.request(`POST ${hooks}/${id}/pings`));
      // It is sent afterwards.
      return false;
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

function configOf({ url, secrets }: WebhookDemand) {
  return { url, content_type: "json", insecure_ssl: "0", secret: secrets.signingSecret };
}

async function listAll(session: ApiSession, octokit: Octokit, hooks: string): Promise<readonly FoundWebhook[]> {
  const found: FoundWebhook[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const { data } = await asking(session, () => octokit.request(`GET ${hooks}`, { per_page: PAGE_SIZE, page }));
    if (!Array.isArray(data)) throw notTheApi(session.url.host);
    found.push(...data.map((hook: HookData) => toFound(session, hook)));
    if (data.length < PAGE_SIZE) break;
  }
  return found;
}

/** As much of a webhook as counts here, none of it taken for granted. */
type HookData = {
  readonly id?: unknown;
  readonly active?: unknown;
  readonly events?: readonly unknown[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly last_response?: { readonly code?: unknown; readonly message?: unknown } | null;
};

function toFound(session: ApiSession, hook: HookData): FoundWebhook {
  const { active, events = [], config = {}, last_response: last } = hook;
  const isSame =
    active === true &&
    events.length === 1 &&
    events[0] === EVENTS[0] &&
    config.content_type === "json" &&
    String(config.insecure_ssl) === "0" &&
    typeof config.secret === "string";
  const code = typeof last?.code === "number" ? last.code : null;
  return {
    id: idOf(session, hook),
    url: String(config.url ?? ""),
    isChanged: !isSame,
    isMistrusted: code === 401,
    fault: code === null || (code >= 200 && code < 300) ? null : faultOf(session, code),
  };
}

function faultOf({ url }: ApiSession, code: number): string {
  const what = code === 0 ? "got no answer" : `was answered HTTP ${code}`;
  return `The last delivery of ${url.host} ${what}; COREGIT_PUBLIC_URL must be reachable from there.`;
}

function idOf(session: ApiSession, { id }: Pick<HookData, "id">): string {
  if (!Number.isSafeInteger(Number(id)) || Number(id) <= 0) throw notTheApi(session.url.host);
  return String(id);
}

/** What GitHub has against a webhook: another of that address, too many, an address that it does not deliver to. */
function refused(error: unknown): { readonly refusal: string } {
  if (!isRefusal(error) || error.status !== 422) throw error;
  const { errors } = (error.response.data ?? {}) as { readonly errors?: unknown };
  const words = Array.isArray(errors) ? errors.map((one: { readonly message?: unknown } | null) => one?.message) : [];
  const said = words.filter((word) => typeof word === "string").join("; ");
  return { refusal: `GitHub refuses the webhook${said === "" ? "" : `: ${createQuote([])(said)}`}.` };
}

function unlessGone(error: unknown): void {
  if (!isRefusal(error) || error.status !== 404) throw error;
}
