// Whom a certificate makes trusted: the connection's own CA beside the system's, for the name that was asked for.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Credential } from "../../src/domain/credential.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { createTestCertificate, type TestCertificate } from "../support/certificates.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, fetchWhole, openTestRemotes, serveSource } from "../support/test-remotes.ts";

const TOKEN: Credential = { kind: "token", token: "s3cret-token" };

let source: SourceRepository;
let oid: Oid;
let certificate: TestCertificate;

beforeAll(async () => {
  source = await createSourceRepository();
  oid = await source.commit({ "a.txt": "a" });
  certificate = createTestCertificate(["DNS:git.test"]);
});

afterAll(async () => {
  await source[Symbol.asyncDispose]();
});

describe("a certificate", () => {
  const resolve = async () => [{ address: "127.0.0.1", family: 4 }];

  test("of the connection's CA is trusted for the name it was made for", async () => {
    await using server = await serveSource(source, {
      tls: certificate,
      basicAuth: { username: "oauth2", password: "s3cret-token" },
    });
    await using remotes = openTestRemotes({ resolve });
    await using remote = remotes.open(server.remoteUrl.replace("127.0.0.1", "git.test"), {
      caPem: certificate.caPem,
      credential: TOKEN,
    });
    expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
    expect((await fetchWhole(remote, oid)).subarray(0, 4).toString()).toBe("PACK");
  });

  test.each<[string, string, boolean]>([
    ["without its CA", "git.test", false],
    ["for another name", "other.test", true],
    ["for an address", "127.0.0.1", true],
  ])("%s is not trusted, and no request is made", async (_case, host, withCa) => {
    await using server = await serveSource(source, { tls: certificate });
    await using remotes = openTestRemotes({ resolve });
    const caPem = withCa ? certificate.caPem : null;
    await using remote = remotes.open(server.remoteUrl.replace("127.0.0.1", host), { caPem, credential: TOKEN });
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "CertificateInvalid" });
    expect(server.requests).toEqual([]);
  });

  test("that cannot be read is told at once", async () => {
    await using remotes = openTestRemotes();
    for (const caPem of ["garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]) {
      expect(() => remotes.open("https://git.test/a", { caPem })).toThrow(expect.objectContaining({ code: "SecretInvalid" }));
    }
  });

  test("is not asked of a port that speaks no TLS", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl.replace("http:", "https:"));
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "RemoteProtocol" });
  });
});
