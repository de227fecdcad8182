// The direction of dependencies, read from import lines.
import { builtinModules } from "node:module";
import { describe, expect, test } from "vitest";
import { folderOf, readSources, resolveImport } from "./source-files.ts";

const ADAPTER = ["domain"];
const FRONT_DOOR = ["domain", "resources", "config", "telemetry", "db", "repositories", "remotes", "sync"];

/** For each folder the folders that it may import beside itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  config: ["domain"],
  telemetry: ["domain"],
  // Schemas turn into declarations, whose shapes stand with the engine's ports.
  resources: ["domain", "sync"],
  db: ADAPTER,
  blobs: ["domain", "db", "config"],
  git: ADAPTER,
  remotes: ADAPTER,
  kube: ADAPTER,
  repositories: ["domain", "git", "blobs", "db"],
  sync: ["domain", "repositories", "remotes", "db"],
  operator: [...FRONT_DOOR, "kube"],
  standalone: FRONT_DOOR,
  http: FRONT_DOOR,
  cli: FRONT_DOOR,
  // Runs in programs and browsers of others, where there is nothing of this one.
  sdk: [],
  "app.ts": ["*"],
  // The second composition root, of `coregit doctor`: it opens what the roles open, without being one.
  "doctor.ts": ["*"],
  // The third, of the commands that the chart's jobs run.
  "cluster-chores.ts": ["*"],
  "main.ts": ["app.ts", "doctor.ts", "cluster-chores.ts", "cli", "config", "domain", "telemetry"],
};

/** A third-party package and the one folder that may import it. */
const PACKAGE_HOME: Readonly<Record<string, string>> = {
  pg: "db",
  undici: "remotes",
  "ipaddr.js": "remotes",
  octokit: "remotes",
  "@gitbeaker/rest": "remotes",
  "@kubernetes/client-node": "kube",
  fastify: "http",
  "@fastify/swagger-ui": "http",
  commander: "cli",
  chokidar: "standalone",
  yaml: "standalone",
  pino: "telemetry",
  "pino-pretty": "telemetry",
  "prom-client": "telemetry",
  "@opentelemetry/api": "telemetry",
  "@opentelemetry/context-async-hooks": "telemetry",
  "@opentelemetry/exporter-trace-otlp-http": "telemetry",
  "@opentelemetry/sdk-trace": "telemetry",
  "isomorphic-git": "git",
  "@aws-sdk/client-s3": "blobs",
};

/** Packages that one folder inside its home may import. */
const PACKAGE_FOLDER: Readonly<Record<string, string>> = {
  octokit: "src/remotes/github/",
  "@gitbeaker/rest": "src/remotes/gitlab/",
};

/** Packages that several folders share, with the reason. */
const SHARED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  // One validator for everything that comes from outside.
  zod: ["resources", "http", "config"],
  "lru-cache": ["git", "repositories", "remotes"],
};

const sources = readSources({ tests: false });
const builtins = new Set(builtinModules.flatMap((name) => [name, `node:${name}`]));

function packageName(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

describe("dependencies", () => {
  test("every folder imports only the folders below it", () => {
    const breaches = sources.flatMap(({ path, imports }) =>
      imports.flatMap((specifier) => {
        const target = resolveImport(path, specifier);
        if (target === null) return [];
        const [from, to] = [folderOf(path), folderOf(target)];
        const allowed = MAY_IMPORT[from] ?? [];
        return from === to || allowed.includes("*") || allowed.includes(to) ? [] : [`${path} imports ${target}`];
      }),
    );
    expect(breaches).toEqual([]);
  });

  test("every third-party package is imported by its own folder only", () => {
    const breaches = sources.flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !specifier.startsWith(".") && !builtins.has(specifier))
        .map(packageName)
        .filter((name) => !(SHARED_PACKAGES[name] ?? [PACKAGE_HOME[name]]).includes(folderOf(path)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(breaches).toEqual([]);
  });

  test("a provider's client is imported by that provider's folder only", () => {
    const breaches = sources.flatMap(({ path, imports }) =>
      imports.filter((name) => !path.startsWith(PACKAGE_FOLDER[name] ?? "")).map((name) => `${path} imports ${name}`),
    );
    expect(breaches).toEqual([]);
  });

  test("node's own modules are imported with the node: prefix", () => {
    const breaches = sources.flatMap(({ path, imports }) =>
      imports.filter((name) => builtinModules.includes(name)).map((name) => `${path}: ${name}`),
    );
    expect(breaches).toEqual([]);
  });

  test("the client imports nothing but itself, not even from node", () => {
    const client = sources.filter(({ path }) => folderOf(path) === "sdk");
    const foreign = client.flatMap(({ path, imports }) =>
      imports.filter((name) => !/^\.\/[\w-]+\.ts$/.test(name)).map((name) => `${path}: ${name}`),
    );
    expect(foreign).toEqual([]);
    expect(client.length).toBeGreaterThan(0);
  });

  test("no file is part of an import cycle", () => {
    const graph = new Map(
      sources.map(({ path, imports }) => [path, imports.flatMap((specifier) => resolveImport(path, specifier) ?? [])]),
    );
    const settled = new Set<string>();
    const visit = (path: string, trail: readonly string[]): string[] => {
      const start = trail.indexOf(path);
      if (start >= 0) return [[...trail.slice(start), path].join(" → ")];
      if (settled.has(path)) return [];
      const found = (graph.get(path) ?? []).flatMap((next) => visit(next, [...trail, path]));
      settled.add(path);
      return found;
    };
    const cycles = [...graph.keys()].flatMap((path) => visit(path, []));
    expect(cycles).toEqual([]);
  });
});
