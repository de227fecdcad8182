import { describe, expect, test } from "vitest";
import { SLUG_REFUSED } from "../domain/slug.ts";
import { pathsOf } from "./route.ts";
import { type ApiPorts, apiRoutes } from "./routes.ts";

// Routes are data: nothing of the ports is touched before one answers.
const routes = apiRoutes({} as ApiPorts);

describe("routes", () => {
  test("of a repository exist with and without its namespace", () => {
    const commits = routes.find(({ path }) => path === "/commits");
    expect(commits && pathsOf(commits)).toEqual(["/repos/:slug/commits", "/repos/:namespace/:slug/commits"]);
  });

  test("begin with a word that no repository can be called", () => {
    const words = routes
      .filter(({ isOfRepository, path }) => isOfRepository && path !== "")
      .map(({ path }) => path.split("/")[1] ?? "");
    expect(words.filter((word) => !SLUG_REFUSED.test(word))).toEqual([]);
    expect(words.length).toBeGreaterThan(4);
  });

  test("that change something need the right to write, or the master key, or prove themselves", () => {
    const changing = routes.filter(({ method, access }) => method !== "GET" && access !== "signed");
    expect(changing.filter(({ access }) => access !== "write" && access !== "master").map(({ path }) => path)).toEqual([]);
    expect(changing.length).toBeGreaterThan(10);
    expect(routes.filter(({ access }) => access === "signed").map(({ name }) => name)).toEqual(["receiveWebhook"]);
  });

  test("are one for each method and path", () => {
    const names = routes.flatMap((route) => pathsOf(route).map((path) => `${route.method} ${path}`));
    expect(new Set(names).size).toBe(names.length);
  });
});
