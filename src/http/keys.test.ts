import { describe, expect, test } from "vitest";
import { apiKeyOf, createKeyCheck, gitKeyOf, requireKey } from "./keys.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("keys of a request", () => {
  test("only the whole master key passes", () => {
    const isMasterKey = createKeyCheck("cgk_live_abc");
    expect(["cgk_live_abc", "cgk_live_ab", "cgk_live_abcd", "", null].map(isMasterKey)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ["any user name with the key as password", { authorization: basic("anyone:key") }, "key"],
    ["no user name", { authorization: basic(":key") }, "key"],
    ["a key with a colon", { authorization: basic("x:a:b") }, "a:b"],
    ["a scheme in lower case", { authorization: basic("x:key").replace("Basic", "basic") }, "key"],
    ["the API's header", { "x-api-key": "key" }, "key"],
    ["an empty password", { authorization: basic("x:") }, null],
    ["no colon", { authorization: basic("key") }, null],
    ["another scheme", { authorization: "Bearer key" }, null],
    ["nothing", {}, null],
  ])("git: %s", (_, headers, key) => {
    expect(gitKeyOf(headers)).toBe(key);
  });

  test("an empty x-api-key is none", () => {
    expect(apiKeyOf({ "x-api-key": "" })).toBeNull();
  });

  test("a missing and a wrong key are told apart, neither is repeated", () => {
    const isMasterKey = createKeyCheck("right");
    expect(() => requireKey(isMasterKey, {})).toThrow("Send an API key in the x-api-key header.");
    expect(() => requireKey(isMasterKey, { "x-api-key": "wrong" })).toThrow("The API key is not valid.");
    expect(() => requireKey(isMasterKey, { "x-api-key": "right" })).not.toThrow();
  });
});
