// The API's document and its page as anybody gets them: without a key, and with nothing from another host.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HttpWorld, openHttpWorld } from "../support/http-world.ts";

let http: HttpWorld;

beforeAll(async () => {
  http = await openHttpWorld();
});
afterAll(() => http[Symbol.asyncDispose]());

const get = (path: string, headers: Record<string, string> = {}) => fetch(`${http.url}${path}`, { headers });

test("the document needs no key and is of this version", async () => {
  const answer = await get("/v1/openapi.json");
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "application/json; charset=utf-8"]);
  const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8"));
  expect(await answer.json()).toMatchObject({ openapi: "3.1.1", info: { title: "Coregit", version } });
});

test("a client that has the document is told so", async () => {
  const tag = (await get("/v1/openapi.json")).headers.get("etag") ?? "";
  expect((await get("/v1/openapi.json", { "if-none-match": tag })).status).toBe(304);
});

test("all that the page loads comes from here, and a browser is told to load nothing else", async () => {
  const answer = await get("/v1/docs");
  const page = await answer.text();
  const policy = answer.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
  expect(policy).not.toMatch(/https?:|unsafe|\*/);
  expect(page).not.toMatch(/https?:|<script>|\son\w+=|style=/);
  const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file);
  expect(files).toHaveLength(4);
  for (const file of files) expect((await get(`/v1/${file}`)).status, file).toBe(200);
});

test("the styles load nothing, and no validator of another host is asked", async () => {
  const styles = await (await get("/v1/docs/swagger-ui.css")).text();
  expect([...styles.matchAll(/url\((?!["']?data:)[^)]*|@import[^;]*/g)].map(String)).toEqual([]);
  expect(await (await get("/v1/docs/start.js")).text()).toContain("validatorUrl: null");
});

test.each(["/v1/docs/nothing.js", "/v1/docs/..%2fpackage.json", "/v1/docs/constructor"])("%s is not there", async (path) => {
  const answer = await get(path);
  expect([answer.status, await answer.json()]).toMatchObject([404, { code: "NOT_FOUND" }]);
});

test("they take no other method", async () => {
  const answer = await fetch(`${http.url}/v1/openapi.json`, { method: "DELETE" });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("headers that are too large are refused as everything else is", async () => {
  const answer = await get("/v1/openapi.json", { "x-long": "a".repeat(17_000) });
  expect([answer.status, await answer.json()]).toMatchObject([431, { code: "INVALID_REQUEST" }]);
});

test.each(["OPTIONS", "QUERY"])("%s at an address that does not take it is answered 405", async (method) => {
  const answer = await http.ask("/v1/repos", { method });
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, POST"]);
});
