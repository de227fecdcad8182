// Webhooks as a RepoSync shows them, on a real API server, with a provider that really delivers.
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/domain/clock.ts";
import type { KubeObject } from "../../src/kube/object.ts";
import { SECRET } from "../../src/operator/kinds.ts";
import { openWebhookRegistrar } from "../../src/sync/webhook-registrar.ts";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";
import { type OperatorHarness, startOperatorHarness } from "../support/operator-harness.ts";
import { TEST_KEYS } from "../support/quiet-spec.ts";
import { silentLogger } from "../support/silent-logger.ts";
import { until } from "../support/until.ts";
import { type ProviderPlace, REMOTE, startGitHubPlace } from "../support/webhook-world.ts";

const owned = new AsyncDisposableStack();
let http: HttpWorld;
let place: ProviderPlace;
let harness: OperatorHarness;

beforeAll(async () => {
  place = owned.use(await startGitHubPlace());
  http = owned.use(await openHttpWorld());
  const { database, remotes: webhooks } = http.world;
  await http.world.startEngine();
  const shared = { database, keys: TEST_KEYS, clock: systemClock, random: Math.random, logger: silentLogger };
  owned.use(await openWebhookRegistrar({ ...shared, webhooks, publicUrl: http.url }));
  harness = owned.use(await startOperatorHarness({ world: http.world }));
});
afterAll(() => owned.disposeAsync());

type Webhook = {
  readonly id?: string;
  readonly url?: string;
  readonly state: string;
  readonly message?: string;
  readonly lastDeliveryAt?: string;
};
const webhookOf = (object: KubeObject | null) => (object?.status as { readonly webhook?: Webhook } | undefined)?.webhook;

const syncedOf = (object: KubeObject | null) =>
  (object?.status as { readonly lastSyncedSha?: string } | undefined)?.lastSyncedSha;

test("a RepoSync shows its webhook, imports what it announces, and takes it along when it is deleted", async () => {
  await harness.cluster.api.create(SECRET, harness.namespace, {
    metadata: { name: "token" },
    stringData: { token: place.token },
  });
  await harness.create("Connection", "hub", { provider: "github", baseUrl: place.url, secretRef: { name: "token" } });
  const spec = { remote: REMOTE, connectionRef: { name: "hub" }, branch: "main", interval: "0s" };
  await harness.create("RepoSync", "site", spec);
  const read = () => harness.get("RepoSync", "site");
  await until("the webhook is shown", async () => webhookOf(await read())?.state === "Active");
  const { id, url, message } = webhookOf(await read()) ?? { state: "none" };
  expect({ id, url, message }).toEqual({ id: String(place.hooks()[0]?.id), url: place.hooks()[0]?.url, message: undefined });
  await harness.untilReady("RepoSync", "site", "True", "Synced");
  const oid = await place.commit({ "news.txt": "1\n" });
  await until("the push is imported", async () => syncedOf(await read()) === oid);
  await until("the delivery is shown", async () => webhookOf(await read())?.lastDeliveryAt !== undefined);
  await harness.delete("RepoSync", "site");
  await harness.untilGone("RepoSync", "site");
  await until("the webhook is removed", async () => place.hooks().length === 0);
});

test("a webhook that cannot be had leaves the sync ready, and an Event says why", async () => {
  const remote = `${place.url}/team/none.git`;
  await harness.create("RepoSync", "alone", { remote, interval: "0s" });
  await until("it is unavailable", async () => webhookOf(await harness.get("RepoSync", "alone"))?.state === "Unavailable");
  expect(webhookOf(await harness.get("RepoSync", "alone"))?.message).toContain("no API for webhooks");
  const said = async () => {
    const { kubectl } = harness.cluster;
    return kubectl("get", "events.events.k8s.io", "--namespace", harness.namespace, "-o", "jsonpath={.items[*].reason}");
  };
  await until("an Event says so", async () => (await said()).includes("WebhookUnavailable"));
});
