// Webhooks of a repository and what was delivered to them.
import { knowSecretsIn } from "../../../secrets/declared-secrets.ts";
import { ZERO_OID } from "../../bare-repository.ts";
import type { GitHubCall, GitHubRoute, RouteAnswer } from "../call.ts";
import type { Need } from "../credentials.ts";
import type { GitHubHook, HookConfig, HookDelivery } from "../hooks.ts";
import { isoTime, type Json, repositoryJson, userJson } from "../models.ts";
import { pushPayload } from "../push-payload.ts";
import { apiRefusal, notFound, validationFailed } from "../refusals.ts";
import type { GitHubRepository } from "../repository.ts";

const READ: Need = { permission: "repository_hooks", level: "read" };
const WRITE: Need = { permission: "repository_hooks", level: "write" };
const PAGE = "rest/repos/webhooks#create-a-repository-webhook";
const LOCAL = /^(?:localhost|127\.|10\.|192\.168\.|\[?::1)/;
const HOUR_MS = 3_600_000;
/** Deliveries can be sent again for three days. */
const KEPT_MS = 72 * HOUR_MS;

const invalid = (message: string) => validationFailed([{ resource: "Hook", code: "custom", message }], PAGE);

function hookJson(hook: GitHubHook, repository: GitHubRepository, call: GitHubCall): Json {
  const url = `${call.links.apiUrl}/repos/${repository.fullName}/hooks/${hook.id}`;
  const last = hook.deliveries.at(-1)?.result ?? null;
  const response = last === null ? { code: null, status: "unused", message: null } : responseJson(last.status);
  return {
    type: "Repository",
    id: hook.id,
    name: "web",
    active: hook.active,
    events: hook.events,
    config: configJson(hook.config),
    updated_at: isoTime(hook.updatedAtMs),
    created_at: isoTime(hook.createdAtMs),
    url,
    test_url: `${url}/test`,
    ping_url: `${url}/pings`,
    deliveries_url: `${url}/deliveries`,
    last_response: response,
  };
}

function responseJson(status: number | null): Json {
  if (status === null) return { code: 0, status: "timeout", message: "Service Timeout" };
  const isGood = status >= 200 && status < 300;
  return { code: status, status: isGood ? "active" : "misconfigured", message: isGood ? "OK" : "Invalid HTTP Response" };
}

function configJson(config: HookConfig): Json {
  return { ...config, ...(config.secret === undefined ? {} : { secret: "********" }) };
}

function readConfig(value: unknown, call: GitHubCall): HookConfig {
  knowSecretsIn("a webhook of GitHub", value);
  const { url, content_type, secret, insecure_ssl } = (value ?? {}) as Record<string, unknown>;
  if (typeof url !== "string" || !URL.canParse(url)) throw invalid("Config must contain URL for webhooks");
  const { hostname } = new URL(url);
  if (!call.world.allowsLocalHooks && LOCAL.test(hostname)) {
    throw invalid(`url is not supported because it isn't reachable over the public Internet (${hostname})`);
  }
  return {
    url,
    content_type: content_type === "json" ? "json" : "form",
    insecure_ssl: String(insecure_ssl ?? "0"),
    ...(typeof secret === "string" && secret !== "" ? { secret } : {}),
  };
}

/** @throws Refusal when another hook of the repository has the address and one of the events, or there are too many. */
function checkOthers(call: GitHubCall, others: readonly GitHubHook[], url: string, events: readonly string[]): void {
  const overlapping = (hook: GitHubHook): boolean => hook.events.some((event) => events.includes(event));
  if (others.some((hook) => hook.config.url === url && overlapping(hook)))
    throw invalid("Hook already exists on this repository");
  for (const event of events) {
    const count = others.filter((hook) => hook.events.includes(event)).length;
    if (count >= call.world.sizes.hooks)
      throw invalid(`The "${event}" event cannot have more than ${call.world.sizes.hooks} hooks`);
  }
}

async function createHook(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(WRITE);
  const name = call.text("name");
  if (name !== null && name !== "web") throw invalid("name must be 'web'");
  const config = readConfig(call.json.config, call);
  const events = (call.json.events as string[] | undefined) ?? ["push"];
  checkOthers(call, call.world.hooks.of(repository), config.url, events);
  const hook = call.world.hooks.add(repository, { active: call.json.active !== false, events, config });
  ping(hook, repository, call);
  const json = hookJson({ ...hook, deliveries: [] }, repository, call);
  return { status: 201, json, headers: { location: String(json.url) } };
}

function ping(hook: GitHubHook, repository: GitHubRepository, call: GitHubCall): void {
  const payload = {
    zen: "Keep it logically awesome.",
    hook_id: hook.id,
    hook: hookJson(hook, repository, call),
    repository: repositoryJson(repository, call.links, 1),
    sender: userJson(call.actor(), call.links),
  };
  call.world.hooks.deliver(hook, "ping", payload);
}

function findHook(call: GitHubCall, need: Need): { readonly repository: GitHubRepository; readonly hook: GitHubHook } {
  const repository = call.repository(need);
  const hook = call.world.hooks.all.get(Number(call.parameter("hook_id")));
  if (hook === undefined || hook.repositoryId !== repository.id) throw notFound("rest/repos/webhooks");
  return { repository, hook };
}

async function listHooks(call: GitHubCall): Promise<RouteAnswer> {
  const repository = call.repository(READ);
  const hooks = call.world.hooks.of(repository).map((hook) => hookJson(hook, repository, call));
  return paged(call, hooks);
}

function paged(call: GitHubCall, items: readonly unknown[]): RouteAnswer {
  const size = Math.min(Math.max(Number(call.query.get("per_page") ?? 30) || 30, 1), 100);
  const page = Math.max(Number(call.query.get("page") ?? 1) || 1, 1);
  const last = Math.max(Math.ceil(items.length / size), 1);
  const link = (number: number, rel: string): string => {
    const url = new URL(call.request.url);
    url.searchParams.set("page", String(number));
    return `<${url.href}>; rel="${rel}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, "prev"), link(1, "first")] : []),
    ...(page < last ? [link(page + 1, "next"), link(last, "last")] : []),
  ];
  const json = items.slice((page - 1) * size, page * size);
  return { status: 200, json, headers: links.length === 0 ? {} : { link: links.join(", ") } };
}

async function getHook(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook } = findHook(call, READ);
  return { status: 200, json: hookJson(hook, repository, call) };
}

async function updateHook(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook } = findHook(call, WRITE);
  const { config, events, add_events, remove_events, active } = call.json as Record<string, unknown>;
  // A configuration replaces the old one whole: without a secret in it, the hook has none.
  if (config !== undefined)
    hook.config = readConfig({ ...(config as object), url: (config as Json).url ?? hook.config.url }, call);
  const chosen = (events as string[] | undefined) ?? hook.events;
  const added = [...chosen, ...((add_events as string[] | undefined) ?? [])];
  hook.events = [...new Set(added)].filter((event) => !((remove_events as string[] | undefined) ?? []).includes(event));
  if (typeof active === "boolean") hook.active = active;
  hook.updatedAtMs = call.nowMs;
  return { status: 200, json: hookJson(hook, repository, call) };
}

async function updateConfig(call: GitHubCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, WRITE);
  hook.config = readConfig({ ...hook.config, ...call.json }, call);
  hook.updatedAtMs = call.nowMs;
  return { status: 200, json: configJson(hook.config) };
}

async function getConfig(call: GitHubCall): Promise<RouteAnswer> {
  return { status: 200, json: configJson(findHook(call, READ).hook.config) };
}

async function deleteHook(call: GitHubCall): Promise<RouteAnswer> {
  const { hook } = findHook(call, WRITE);
  call.world.hooks.all.delete(hook.id);
  return { status: 204 };
}

async function pingHook(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook } = findHook(call, WRITE);
  ping(hook, repository, call);
  return { status: 204 };
}

/** Sends the newest push once more, to hooks that want pushes. */
async function testHook(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook } = findHook(call, WRITE);
  const after = await repository.head();
  if (after === null || !hook.events.includes("push")) return { status: 204 };
  const before = (await repository.git.resolve(`${after}^`)) ?? ZERO_OID;
  const movement = { ref: `refs/heads/${repository.defaultBranch}`, before, after, isForced: false };
  call.world.hooks.deliver(hook, "push", await pushPayload(repository, movement, call.actor(), call.links));
  return { status: 204 };
}

function deliveryJson(delivery: HookDelivery, repository: GitHubRepository): Json {
  const status = delivery.result?.status ?? 0;
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: isoTime(delivery.deliveredAtMs),
    redelivery: delivery.isRedelivery,
    duration: (delivery.result?.durationMs ?? 0) / 1000,
    status: status >= 200 && status < 300 ? "OK" : "Invalid HTTP Response",
    status_code: status,
    event: delivery.event,
    action: null,
    installation_id: null,
    repository_id: repository.id,
    throttled_at: null,
  };
}

async function listDeliveries(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook } = findHook(call, READ);
  const kept = hook.deliveries.filter(({ deliveredAtMs }) => deliveredAtMs > call.nowMs - KEPT_MS);
  const size = Number(call.query.get("per_page") ?? 30) || 30;
  const json = kept
    .reverse()
    .slice(0, size)
    .map((delivery) => deliveryJson(delivery, repository));
  return { status: 200, json };
}

function findDelivery(call: GitHubCall, need: Need) {
  const { repository, hook } = findHook(call, need);
  const delivery = hook.deliveries.find(({ id }) => id === Number(call.parameter("delivery_id")));
  if (delivery === undefined) throw notFound("rest/repos/webhooks");
  return { repository, hook, delivery };
}

async function getDelivery(call: GitHubCall): Promise<RouteAnswer> {
  const { repository, hook, delivery } = findDelivery(call, READ);
  const { result, headers, payload } = delivery;
  const json = {
    ...deliveryJson(delivery, repository),
    url: hook.config.url,
    request: { headers, payload },
    response: { headers: result?.headers ?? {}, payload: result?.body ?? "" },
  };
  return { status: 200, json };
}

async function redeliver(call: GitHubCall): Promise<RouteAnswer> {
  const { hook, delivery } = findDelivery(call, WRITE);
  if (delivery.deliveredAtMs <= call.nowMs - KEPT_MS) throw apiRefusal(400, "This delivery is too old.", "rest/repos/webhooks");
  call.world.hooks.deliver(hook, delivery.event, delivery.payload, delivery);
  return { status: 202, json: {} };
}

const HOOKS = "/repos/{owner}/{repo}/hooks";
const HOOK = `${HOOKS}/{hook_id}`;

export const hookRoutes: readonly GitHubRoute[] = [
  { method: "GET", template: HOOKS, answer: listHooks },
  { method: "POST", template: HOOKS, isContent: true, answer: createHook },
  { method: "GET", template: HOOK, answer: getHook },
  { method: "PATCH", template: HOOK, answer: updateHook },
  { method: "DELETE", template: HOOK, answer: deleteHook },
  { method: "GET", template: `${HOOK}/config`, answer: getConfig },
  { method: "PATCH", template: `${HOOK}/config`, answer: updateConfig },
  { method: "POST", template: `${HOOK}/pings`, answer: pingHook },
  { method: "POST", template: `${HOOK}/tests`, answer: testHook },
  { method: "GET", template: `${HOOK}/deliveries`, answer: listDeliveries },
  { method: "GET", template: `${HOOK}/deliveries/{delivery_id}`, answer: getDelivery },
  { method: "POST", template: `${HOOK}/deliveries/{delivery_id}/attempts`, answer: redeliver },
];
