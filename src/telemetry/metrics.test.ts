import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const page = async (report: (metrics: ReturnType<typeof createMetrics>) => void): Promise<string> => {
  const metrics = createMetrics("1.2.3");
  report(metrics);
  return metrics.page.render();
};

const showOne = ({ resources }: ReturnType<typeof createMetrics>): void => {
  resources.shown({ kind: "RepoSync", namespace: "a", name: "b", conditions: [], lastSyncedAtMs: 1 });
};

describe("metrics", () => {
  test("count runs by direction, status and code, in seconds", async () => {
    const text = await page(({ engine }) => {
      engine.runStarted("import");
      engine.runStarted("import");
      engine.runEnded({ direction: "import", status: "error", code: "Conflict", durationMs: 1500, lagMs: 9_000 });
      engine.runEnded({ direction: "import", status: "success", code: null, durationMs: 1500, lagMs: 500 });
    });
    expect(text).toContain('coregit_sync_behind_seconds_sum{direction="import"} 2\n');
    expect(text).toContain('coregit_sync_runs_total{direction="import",status="error",code="Conflict"} 1');
    expect(text).toContain('coregit_sync_run_duration_seconds_sum{direction="import",status="error"} 1.5');
    expect(text).toContain('coregit_sync_runs_in_progress{direction="import"} 0');
  });

  test("never report a negative lag, whatever the clocks say", async () => {
    expect(await page(({ engine }) => engine.claimed(-5))).toContain("coregit_sync_queue_lag_seconds_sum 0");
  });

  test("of the Kubernetes runtime have controller-runtime's names", async () => {
    const text = await page(({ runtime }) => {
      runtime.queued("reposync", 3);
      runtime.taken("reposync", 250, 2);
      runtime.reconciled("reposync", "error", 1500, true);
      runtime.leading(true);
      runtime.queued("connection", 7);
      runtime.emptied("connection");
    });
    expect(text).toContain('workqueue_depth{name="connection",controller="connection"} 0');
    expect(text).toContain('workqueue_depth{name="reposync",controller="reposync"} 2');
    expect(text).toContain('workqueue_queue_duration_seconds_sum{name="reposync",controller="reposync"} 0.25');
    expect(text).toContain('controller_runtime_reconcile_total{controller="reposync",result="error"} 1');
    expect(text).toContain('controller_runtime_reconcile_errors_total{controller="reposync"} 1');
    expect(text).toContain('leader_election_master_status{name="coregit-operator"} 1');
  });

  test("count calls to providers and show the least that is left, as it is when they are asked for", async () => {
    const left = [{ provider: "github", lane: "core", remaining: 4200 }] as const;
    const metrics = createMetrics("1.2.3");
    metrics.providers.called("gitlab", "core", "limited");
    metrics.providers.followAllowances(() => left);
    expect(await metrics.page.render()).toContain('coregit_provider_allowance_remaining{provider="github",lane="core"} 4200');
    metrics.providers.followAllowances(() => []);
    const text = await metrics.page.render();
    expect(text).toContain('coregit_provider_calls_total{provider="gitlab",lane="core",outcome="limited"} 1');
    expect(text).not.toContain("coregit_provider_allowance_remaining{");
  });

  test("of single resources are there as long as the resources are, by what they show now", async () => {
    const { resources, page: shown } = createMetrics("1.2.3");
    const condition = { type: "Ready", status: "False", reason: 'Div"erged' };
    const named = { kind: "RepoSync", namespace: "team", name: "site" };
    resources.shown({ ...named, conditions: [condition], lastSyncedAtMs: 1_500 });
    const labels = 'kind="RepoSync",namespace="team",name="site",type="Ready"';
    const before = await shown.render();
    expect(before).toContain(`coregit_resource_condition{${labels},status="False",reason="Div\\"erged"} 1\n`);
    expect(before).toContain('coregit_sync_last_synced_timestamp_seconds{namespace="team",name="site"} 1.5\n');
    resources.shown({ ...named, conditions: [{ type: "Ready", status: "True", reason: "Synced" }], lastSyncedAtMs: null });
    const after = await shown.render();
    expect(after).toContain(`coregit_resource_condition{${labels},status="True",reason="Synced"} 1\n`);
    expect(after).not.toMatch(/Diverged|Div|name="site"} 1.5/);
    resources.shown({ ...named, name: "other", conditions: [condition], lastSyncedAtMs: null });
    resources.gone(named);
    expect(await shown.render()).not.toContain('name="site"');
    resources.cleared();
    expect(await shown.render()).not.toContain("coregit_resource_condition");
  });

  test("belong to one registry each", async () => {
    createMetrics("other").http.answered({ method: "GET", route: "/a", status: 200, durationMs: 1 });
    expect(await page(() => undefined)).not.toContain('route="/a"');
  });

  test("are all documented", async () => {
    const documented = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
    const names = [...(await page(showOne)).matchAll(/^# TYPE (?!process_|nodejs_)(\w+)/gm)].map((match) => match[1]);
    expect(names.filter((name) => !documented.includes(`\`${name}\``))).toEqual([]);
    expect(names.length).toBeGreaterThan(12);
  });
});
