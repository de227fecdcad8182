import { describe, expect, test } from "vitest";
import { givenKeys, keysToWrite } from "./cluster-keys.ts";
import { readDatabaseUrl, readEncryptionKeys, readMasterKey } from "./values.ts";

const PRESENT = { databaseUrl: "postgres://db/coregit", encryptionKey: "kept", masterKey: "kept" };
const DATABASE = "coregit-postgresql:5432";

describe("the keys of an installation", () => {
  test("are made where they are missing, and are keys", () => {
    const made = keysToWrite({}, {}, null);
    expect(Object.keys(made).sort()).toEqual(["encryptionKey", "masterKey"]);
    expect(readEncryptionKeys(made.encryptionKey ?? "")).toHaveLength(1);
    expect(readMasterKey(made.masterKey ?? "")).toBe(made.masterKey);
    expect(keysToWrite({}, {}, null).masterKey).not.toBe(made.masterKey);
  });

  test("that are there stay as they are", () => {
    expect(keysToWrite(PRESENT, {}, null)).toEqual({});
    expect(Object.keys(keysToWrite({ ...PRESENT, postgresqlPassword: "kept" }, {}, DATABASE))).toEqual([]);
  });

  test("that are given are written unless they are there", () => {
    expect(keysToWrite(PRESENT, { masterKey: "other", databaseUrl: PRESENT.databaseUrl }, null)).toEqual({ masterKey: "other" });
  });

  test("of a database of the chart fit each other", () => {
    const { databaseUrl = "", postgresqlPassword = "" } = keysToWrite({}, {}, DATABASE);
    const url = new URL(readDatabaseUrl(databaseUrl));
    expect([url.username, url.password, url.host, url.pathname]).toEqual(["coregit", postgresqlPassword, DATABASE, "/coregit"]);
    const again = keysToWrite({ ...PRESENT, databaseUrl, postgresqlPassword }, {}, DATABASE);
    expect(again).toEqual({});
    expect(keysToWrite({ postgresqlPassword: "known" }, {}, DATABASE).databaseUrl).toContain(":known@");
  });

  test("are taken from the environment when they are keys", () => {
    expect(givenKeys({ COREGIT_MASTER_KEY: "cgk_live_0123456789abcdef" })).toEqual({ masterKey: "cgk_live_0123456789abcdef" });
    expect(() => givenKeys({ COREGIT_DATABASE_URL: "mysql://db" })).toThrow("COREGIT_DATABASE_URL must be a URL");
    expect(() => givenKeys({ COREGIT_ENCRYPTION_KEY: "short" })).toThrow("COREGIT_ENCRYPTION_KEY must be 32 bytes");
  });
});
