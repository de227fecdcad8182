// Webhooks of a project. Nothing keeps two of them from having the same address; what secrets a hook has is told since 19.0 only.
import { knowSecretsIn } from "../../../secrets/declared-secrets.ts";
import type { DeliveryResult } from "../../webhook-sender.ts";
import type { GitLabCall, GitLabRoute, RouteAnswer } from "../call.ts";
import { READ_SCOPES, WRITE_SCOPES } from "../call.ts";
import type { GitLabHook, HookEvent, HookFields } from "../hooks.ts";
import { isoTime, type Json } from "../models.ts";
import { paged } from "../pages.ts";
import type { GitLabProject } from "../project.ts";
import { pushPayload } from "../push-payload.ts";
import { badRequest, notFound, unprocessable } from "../refusals.ts";

const LOCAL = /^(?:localhost|127\.|10\.|192\.168\.|\[?::1)/;
const SIGNING_TOKEN = /^whsec_[A-Za-z0-9+/]{43}=$/;
const SEVEN_DAYS_MS = 7 * 86_400_000;
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
  "milestone_events",
  "feature_flag_events",
  "emoji_events",
  "resource_access_token_events",
  "vulnerability_events",
  "repository_update_events",
];

const knowsSigning = (call: GitLabCall): boolean => call.world.isAtLeast(19, 0);

function hookJson(hook: GitLabHook, call: GitLabCall): Json {
  const { fields } = hook;
  const secrets = { token_present: fields.token !== null, signing_token_present: fields.signingToken !== null };
  const status = call.world.hooks.alertStatus(hook);
  return {
    id: hook.id,
    url: fields.url,
    name: fields.name,
    description: fields.description,
    created_at: isoTime(hook.createdAtMs),
    project_id: hook.projectId,
    push_events: fields.pushEvents,
    tag_push_events: fields.tagPushEvents,
    push_events_branch_filter: fields.branchFilter,
    branch_filter_strategy: fields.branchFilterStrategy,
    enable_ssl_verification: fields.enableSslVerification,
    ...Object.fromEntries(OTHER_EVENTS.map((name) => [name, false])),
    alert_status: status,
    disabled_until: status === "temporarily_disabled" && hook.disabledUntilMs !== null ? isoTime(hook.disabledUntilMs) : null,
    url_variables: [],
    custom_headers: [],
    custom_webhook_template: null,
    ...(knowsSigning(call) ? secrets : {}),
  };
}

function checkUrl(call: GitLabCall, url: string): void {
  const isHttp = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
  if (!isHttp) throw unprocessable({ url: ["is blocked: Only allowed schemes are http, https"] });
  if (!call.world.allowsLocalHooks && LOCAL.test(new URL(url).hostname)) {
    throw unprocessable({ url: ["is blocked: Requests to localhost are not allowed"] });
  }
}

function strategyOf(call: GitLabCall, current: HookFields["branchFilterStrategy"]): HookFields["branchFilterStrategy"] {
  const asked = call.text("branch_filter_strategy") ?? current;
  if (asked === "wildcard" || asked === "regex" || asked === "all_branches") return asked;
  throw badRequest("branch_filter_strategy does not have a valid value");
}

/** A hook that gets another address loses the secrets that are not sent with it. */
function readSecrets(call: GitLabCall, current: HookFields, isMoved: boolean): Pick<HookFields, "token" | "signingToken"> {
  const signing = knowsSigning(call) ? call.text("signing_token") : null;
  if (signing !== null && !SIGNING_TOKEN.test(signing)) throw unprocessable({ signing_token: ["is invalid"] });
  const kept = isMoved ? { token: null, signingToken: null } : current;
  const secrets = { token: call.text("token") ?? kept.token, signingToken: signing ?? kept.signingToken };
  knowSecretsIn("a webhook of GitLab", secrets);
  return secrets;
}

/** What was sent, over what was there. What the server does not know is not looked at. */
function readFields(call: GitLabCall, current: HookFields): HookFields {
  const url = call.text("url") ?? current.url;
  checkUrl(call, url);
  return {
    url,
    ...readSecrets(call, current, url !== current.url),
    name: call.text("name") ?? current.name,
    description: call.text("description") ?? current.description,
    pushEvents: call.flag("push_events") ?? current.pushEvents,
    tagPushEvents: call.flag("tag_push_events") ?? current.tagPushEvents,
    branchFilter: call.text("push_events_branch_filter") ?? current.branchFilter,
    branchFilterStrategy: strategyOf(call, current.branchFilterStrategy),
    enableSslVerification: call.flag("enable_ssl_verification") ?? current.enableSslVerification,
  };
}

const NEW_HOOK: HookFields = {
  url: "",
  name: null,
  description: null,
  token: null,
  signingToken: null,
  pushEvents: true,
  tagPushEvents: false,
  branchFilter: "",
  branchFilterStrategy: "wildcard",
  enableSslVerification: true,
};

async function createHook(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("maintainer", WRITE_SCOPES);
  if (call.text("url") === null) throw badRequest("400 Bad request - url is required");
  const { hooks, budgets } = call.world;
  if (hooks.of(project).length >= budgets.limits.hooks)
    throw unprocessable({ base: ["Maximum number of project hooks exceeded"] });
  const hook = hooks.add(project, readFields(call, NEW_HOOK));
  return { status: 201, json: hookJson(hook, call) };
}

function findHook(call: GitLabCall, scopes: typeof READ_SCOPES): { readonly project: GitLabProject; readonly hook: GitLabHook } {
  const project = call.project("maintainer", scopes);
  const hook = call.world.hooks.all.get(Number(call.parameter("hook_id")));
  if (hook === undefined || hook.projectId !== project.id) throw notFound("Hook");
  return { project, hook };
}

async function listHooks(call: GitLabCall): Promise<RouteAnswer> {
  const project = call.project("maintainer", READ_SCOPES);
  return paged(call, call.world.hooks.of(project), async (hook) => hookJson(hook, call));
}

async function getHook(call: GitLabCall): Promise<RouteAnswer> {
  return { status: 200, json: hookJson(findHook(call, READ_SCOPES).hook, call) };
}

async function updateHook(call: GitLabCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, WRITE_SCOPES);
  Object.assign(hook.fields, readFields(call, hook.fields));
  return { status: 200, json: hookJson(hook, call) };
}

async function deleteHook(call: GitLabCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, WRITE_SCOPES);
  call.world.hooks.all.delete(hook.id);
  return { status: 204 };
}

const isGood = ({ status }: DeliveryResult): boolean => status !== null && status >= 200 && status < 400;

/** Sends the newest commit as if it were just pushed, and waits for what comes of it. */
async function testHook(call: GitLabCall): Promise<RouteAnswer> {
  const { project, hook } = findHook(call, WRITE_SCOPES);
  call.world.budgets.endpoint(call.budgetKey, "hook test");
  const after = await project.head();
  if (after === null) throw unprocessable("Ensure the project has at least one commit.");
  const before = (await project.git.resolve(`${after}^`)) ?? "0".repeat(40);
  const movement = { ref: `refs/heads/${project.defaultBranch}`, before, after };
  const payload = await pushPayload(project, movement, call.user().user, call.siteUrl);
  const result = await call.world.hooks.deliver(hook, payload);
  if (!isGood(result))
    throw unprocessable(result.body === "" ? "Internal error occurred while delivering this webhook." : result.body);
  return { status: 201, json: { message: "201 Created" } };
}

function eventJson(event: HookEvent, hook: GitLabHook): Json {
  return {
    id: event.id,
    url: hook.fields.url,
    trigger: event.trigger,
    request_headers: Object.fromEntries(
      Object.entries(event.headers).map(([name, value]) => [name, name === "x-gitlab-token" ? "[REDACTED]" : value]),
    ),
    request_data: event.payload,
    response_headers: event.result?.headers ?? {},
    response_body: event.result?.body ?? "",
    execution_duration: (event.result?.durationMs ?? 0) / 1000,
    response_status: String(event.result?.status ?? "internal error"),
    created_at: isoTime(event.createdAtMs),
  };
}

async function listEvents(call: GitLabCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, READ_SCOPES);
  const kept = hook.events.filter(({ createdAtMs }) => createdAtMs > call.nowMs - SEVEN_DAYS_MS).reverse();
  return paged(call, kept, async (event) => eventJson(event, hook));
}

async function resend(call: GitLabCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, WRITE_SCOPES);
  call.world.budgets.endpoint(call.budgetKey, "hook test");
  const event = hook.events.find(({ id }) => id === Number(call.parameter("event_id")));
  if (event === undefined) throw notFound("Event");
  const { status } = await call.world.hooks.deliver(hook, event.payload, event);
  return { status: 201, json: { response_status: status ?? "internal error" } };
}

const HOOKS = "/projects/{id}/hooks";
const HOOK = `${HOOKS}/{hook_id}`;

export const hookRoutes: readonly GitLabRoute[] = [
  { method: "GET", template: HOOKS, answer: listHooks },
  { method: "POST", template: HOOKS, answer: createHook },
  { method: "GET", template: HOOK, answer: getHook },
  { method: "PUT", template: HOOK, answer: updateHook },
  { method: "DELETE", template: HOOK, answer: deleteHook },
  { method: "POST", template: `${HOOK}/test/{trigger}`, answer: testHook },
  { method: "GET", template: `${HOOK}/events`, answer: listEvents },
  { method: "POST", template: `${HOOK}/events/{event_id}/resend`, answer: resend },
];
