// What git-lfs is told: that there is no LFS here, in its own format, to those who may read the repository.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";

const LFS = "application/vnd.git-lfs+json";
const BATCH = { operation: "upload", transfers: ["basic"], objects: [{ oid: "a".repeat(64), size: 3 }] };

let http: HttpWorld;

beforeAll(async () => {
  http = await openHttpWorld();
  for (const [slug, visibility] of [
    ["site", "private"],
    ["open", "public"],
  ])
    expect((await http.ask("/v1/repos", { method: "POST", body: { slug, visibility } })).status).toBe(201);
});
afterAll(() => http[Symbol.asyncDispose]());

const basic = (key: string) => ({ authorization: `Basic ${Buffer.from(`any:${key}`).toString("base64")}` });

async function ask(path: string, options: { method?: string; key?: string | null; body?: string } = {}) {
  const { method = "POST", key = MASTER_KEY, body = JSON.stringify(BATCH) } = options;
  const headers = { accept: LFS, "content-type": `${LFS}; charset=utf-8`, ...(key === null ? {} : basic(key)) };
  const response = await fetch(`${http.url}${path}`, { method, headers, ...(method === "GET" ? {} : { body }) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> };
}

const said = (message: RegExp) => ({
  message: expect.stringMatching(message),
  documentation_url: expect.stringMatching(/^https:/),
  request_id: expect.stringMatching(/./),
});

describe("git-lfs", () => {
  test.each(["/site.git", "/default/site.git"])("at %s is told what to do with its objects", async (base) => {
    const { status, headers, body } = await ask(`${base}/info/lfs/objects/batch`);
    expect([status, body]).toEqual([
      501,
      said(/^This server does not store Git LFS objects\. .*git lfs migrate export.*lfs\.url/),
    ]);
    expect([headers.get("content-type"), headers.get("x-request-id")]).toEqual([expect.stringContaining(LFS), body.request_id]);
  });

  test.each([
    ["GET", "locks?path=a"],
    ["POST", "locks"],
    ["POST", "locks/verify"],
    ["POST", "locks/1/unlock"],
  ])("finds no locks with %s %s, so that a push goes on", async (method, path) => {
    const { status, body } = await ask(`/site.git/info/lfs/${path}`, { method });
    expect([status, body]).toEqual([404, said(/no Git LFS file locks/)]);
  });

  test("is asked for a key in either header that it knows", async () => {
    for (const name of ["site", "none"]) {
      const { status, headers, body } = await ask(`/${name}.git/info/lfs/objects/batch`, { key: null });
      expect([status, body]).toEqual([401, said(/API key as the password/)]);
      expect([headers.get("lfs-authenticate"), headers.get("www-authenticate")]).toEqual(
        Array(2).fill(expect.stringMatching(/^Basic realm="coregit"/)),
      );
    }
    expect((await ask("/site.git/info/lfs/objects/batch", { key: "wrong" })).status).toBe(401);
  });

  test("does not learn of what its key may not read", async () => {
    const scopes = { "repos:other": ["read"] };
    const token = await http.ask("/v1/tokens", { method: "POST", body: { name: "other", scopes } });
    const answers = await Promise.all(
      ["site", "none"].map((name) => ask(`/${name}.git/info/lfs/objects/batch`, { key: String(token.body.token) })),
    );
    for (const { status, body } of answers) expect([status, body]).toEqual([404, said(/There is no such repository/)]);
  });

  test("reads what is public without a key", async () => {
    expect((await ask("/open.git/info/lfs/objects/batch", { key: null })).status).toBe(501);
  });

  test.each(["", "{", "x".repeat(3_000_000)])("is told the same whatever it sends (%#)", async (body) => {
    expect((await ask("/site.git/info/lfs/objects/batch", { body })).status).toBe(501);
  });
});
