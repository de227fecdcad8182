// Alerts and the dashboard speak of metrics that are documented, and each alert has its page.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { listFiles, ROOT } from "./source-files.ts";

type Alert = {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string; readonly runbook_url: string };
};

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const alerts = parse(read("charts/coregit/alerts/coregit.yaml")) as readonly Alert[];
const dashboard = read("charts/coregit/dashboards/coregit.json");
const documented = read("docs/metrics.md");

/** Names before a brace, without what Prometheus adds to histograms. */
function metricsIn(expression: string): string[] {
  const names = [...expression.matchAll(/\b([a-z][a-z0-9_]+)\{/g)].map((match) => match[1] ?? "");
  return names.filter((name) => name !== "up").map((name) => name.replace(/_(bucket|sum|count)$/, ""));
}

const isDocumented = (name: string): boolean => documented.includes(`\`${name}\``) || /^(process|nodejs)_/.test(name);

describe("alerts", () => {
  test("say what is wrong, how bad it is, and where to read on", () => {
    const incomplete = alerts.filter(
      ({ alert, for: wait, labels, annotations }) =>
        !/^Coregit[A-Z]\w+$/.test(alert) ||
        !/^\d+[mh]$/.test(wait) ||
        !["critical", "warning"].includes(labels.severity) ||
        annotations.summary === "" ||
        annotations.description === "",
    );
    expect(incomplete).toEqual([]);
    expect(alerts.length).toBeGreaterThan(8);
  });

  test("and runbooks belong together", () => {
    const pages = alerts.map(({ annotations }) => annotations.runbook_url.replace("RUNBOOKS/", "docs/runbooks/"));
    expect(pages.filter((page) => !existsSync(join(ROOT, page)))).toEqual([]);
    expect(listFiles("docs/runbooks", ".md").filter((page) => !pages.includes(page))).toEqual([]);
    for (const [index, { alert }] of alerts.entries()) expect(read(pages[index] ?? "")).toContain(`\`${alert}\``);
  });

  test("look at metrics that are documented, of this release's targets", () => {
    const unknown = alerts.flatMap(({ expr }) => metricsIn(expr)).filter((name) => !isDocumented(name));
    expect(unknown).toEqual([]);
    const unbound = alerts.filter(({ expr }) => /\{(?!OPERATOR|API|ALL|RESOURCES)/.test(expr));
    expect(unbound.map(({ alert }) => alert)).toEqual([]);
  });
});

describe("the dashboard", () => {
  const { panels } = JSON.parse(dashboard) as {
    readonly panels: readonly { readonly targets?: readonly { readonly expr: string }[] }[];
  };
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test("looks at metrics that are documented", () => {
    expect(expressions.length).toBeGreaterThan(20);
    expect(expressions.flatMap(metricsIn).filter((name) => !isDocumented(name))).toEqual([]);
  });
});
