// Webhooks of a project at GitLab. Nothing there keeps two of them from having the same address. Since 19.0 they can sign; an older
// server takes no notice of a signing token and never tells that there is one. One that fails too often is switched off, and on
// again by a test that arrives.
// Sources: https://docs.gitlab.com/api/project_webhooks/ and https://docs.gitlab.com/user/project/integrations/webhooks/
import { CoregitError } from "../../domain/errors.ts";
import { notTheApi } from "../api-failure.ts";
import type { ApiSession } from "../api-session.ts";
import type { FoundWebhook, WebhookApi, WebhookDemand } from "../webhooks.ts";
import { type GitLabClient, openGitLab } from "./client.ts";
import { refusalIn } from "./errors.ts";

type WebhookParts = {
  readonly session: ApiSession;
  readonly token: string;
  /** `group/sub/project` */
  readonly project: string;
  /** GitLab's number of the project, which is asked instead of the path; null: it is not known. */
  readonly repositoryId: string | null;
};

const PAGE_SIZE = 100;
const NAME = "Coregit";

export async function openGitLabWebhooks({ session, token, project, repositoryId }: WebhookParts): Promise<WebhookApi> {
  const client = await openGitLab(session, token);
  const { hooks } = client;
  let number = repositoryId === null ? null : Promise.resolve(Number(repositoryId));
  // A project that was renamed is read under its old path and written under its number alone.
  const numberOf = () => (number ??= readNumber(session, client, project));
  return {
    async list() {
      const found: unknown = await hooks.all(number === null ? project : await number, { perPage: PAGE_SIZE });
      if (!Array.isArray(found)) throw notTheApi(session.url.host);
      return found.map((hook: HookData) => toFound(session, hook));
    },
    async create(demand) {
      const made = await hooks.add(await numberOf(), demand.url, fieldsOf(demand));
      return { id: idOf(session, made) };
    },
    async update(id, demand) {
      await hooks.edit(await numberOf(), Number(id), demand.url, fieldsOf(demand));
    },
    async remove(id) {
      await hooks.remove(await numberOf(), Number(id)).catch(unlessGone);
    },
    async revive(id) {
      return client.testHook(await numberOf(), Number(id)).then(() => true, unlessFailed);
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** All that is said of a webhook, each time: what an update leaves out may be what somebody changed. */
function fieldsOf({ secrets }: WebhookDemand) {
  return {
    name: NAME,
    token: secrets.token,
    signingToken: secrets.signingToken,
    pushEvents: true,
    tagPushEvents: false,
    pushEventsBranchFilter: "",
    branchFilterStrategy: "all_branches",
    enableSslVerification: true,
    ...Object.fromEntries(OTHER_EVENTS.map((name) => [name, false])),
  };
}

const OTHER_EVENTS = [
  "issues_events",
  "confidential_issues_events",
  "merge_requests_events",
  "note_events",
  "confidential_note_events",
  "job_events",
  "pipeline_events",
  "wiki_page_events",
  "deployment_events",
  "releases_events",
];

/** As much of a webhook as counts here, none of it taken for granted. */
type HookData = Readonly<Record<string, unknown>>;

function toFound(session: ApiSession, hook: HookData): FoundWebhook {
  const filter = hook.push_events_branch_filter ?? "";
  const isSame =
    hook.push_events === true &&
    hook.tag_push_events !== true &&
    hook.enable_ssl_verification === true &&
    (filter === "" || hook.branch_filter_strategy === "all_branches") &&
    OTHER_EVENTS.every((name) => hook[name] !== true) &&
    // Absent before 19.0.
    hook.token_present !== false &&
    hook.signing_token_present !== false;
  const fault = faultOf(session, hook);
  return {
    id: idOf(session, hook),
    url: String(hook.url ?? ""),
    isChanged: !isSame,
    // GitLab does not tell what its deliveries were refused for.
    isMistrusted: fault !== null,
    fault,
  };
}

function faultOf({ url }: ApiSession, { alert_status: status }: HookData): string | null {
  if (status === undefined || status === null || status === "executable") return null;
  const how = status === "temporarily_disabled" ? "for a while" : "for good";
  return `${url.host} has switched the webhook off ${how}, because its deliveries failed; COREGIT_PUBLIC_URL must be reachable from there.`;
}

function idOf(session: ApiSession, { id }: { readonly id?: unknown }): string {
  if (!Number.isSafeInteger(Number(id)) || Number(id) <= 0) throw notTheApi(session.url.host);
  return String(id);
}

async function readNumber(session: ApiSession, { projects }: GitLabClient, project: string): Promise<number> {
  const { id } = (await projects.show(project)) ?? {};
  return Number(idOf(session, { id }));
}

function unlessGone(error: unknown): void {
  if (refusalIn(error)?.status !== 404) throw error;
}

/** GitLab answers a test that did not arrive, or that it has nothing to send for, with 422; more than five a minute with 429. */
function unlessFailed(error: unknown): false {
  const isLimit = error instanceof CoregitError && error.code === "RateLimited";
  if (!isLimit && refusalIn(error)?.status !== 422) throw error;
  return false;
}
