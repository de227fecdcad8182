import { describe, expect, test } from "vitest";
import { apiKeyOf, createAuthenticator, createKeyCheck, gitKeyOf } from "./keys.ts";

const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;

describe("keys of a request", () => {
  test("only the whole master key passes", () => {
    const isMasterKey = createKeyCheck("cgk_live_abc");
    const keys = ["cgk_live_abc", "cgk_live_ab", "cgk_live_abcd", ""];
    expect(keys.map(isMasterKey)).toEqual([true, false, false, false]);
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

  test("the master key needs no look at the tokens, and a wrong one is not repeated", async () => {
    const asked: string[] = [];
    const find = async (key: string) => {
      asked.push(key);
      return null;
    };
    const authenticate = createAuthenticator("right", { find });
    expect(await authenticate("right")).toEqual({ kind: "master", actor: "master" });
    expect(asked).toEqual([]);
    await expect(authenticate("wrong")).rejects.toThrow("The API key is not valid.");
    expect(asked).toEqual(["wrong"]);
  });
});
