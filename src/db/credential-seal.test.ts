import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { isSealedWithFirst, openCredential, sealCredential } from "./credential-seal.ts";

const credential = { kind: "basic", username: "ada", password: "correct horse" } as const;
const [older, newer] = [randomBytes(32), randomBytes(32)];

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof CoregitError) return error.code;
    throw error;
  }
  return "none";
};

describe("a sealed credential", () => {
  it("opens for the connection that it was sealed for", () => {
    expect(openCredential([newer], "conn_a", sealCredential([newer], "conn_a", credential))).toEqual(credential);
  });

  it("does not show what it holds", () => {
    expect(Buffer.from(sealCredential([newer], "conn_a", credential)).toString("latin1")).not.toContain("horse");
  });

  it("does not open for another connection", () => {
    const sealed = sealCredential([newer], "conn_a", credential);
    expect(codeOf(() => openCredential([newer], "conn_b", sealed))).toBe("CredentialUnreadable");
  });

  it("does not open once a bit of it has changed, wherever", () => {
    const sealed = sealCredential([newer], "conn_a", credential);
    for (const index of sealed.keys()) {
      const damaged = Uint8Array.from(sealed, (byte, at) => (at === index ? byte ^ 1 : byte));
      expect(
        codeOf(() => openCredential([newer], "conn_a", damaged)),
        `byte ${index}`,
      ).toBe("CredentialUnreadable");
    }
  });

  it("opens with a key that has been rotated out of first place, and says that it should be sealed anew", () => {
    const sealed = sealCredential([older], "conn_a", credential);
    expect(openCredential([newer, older], "conn_a", sealed)).toEqual(credential);
    expect(isSealedWithFirst([newer, older], sealed)).toBe(false);
    expect(isSealedWithFirst([older], sealed)).toBe(true);
  });

  it("does not open when its key is gone", () => {
    expect(codeOf(() => openCredential([newer], "conn_a", sealCredential([older], "conn_a", credential)))).toBe(
      "CredentialUnreadable",
    );
  });
});
