// Who is let in, where the credential goes, which addresses are connected to, and whom a certificate makes trusted.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DirectCredential } from "../../src/domain/credential.ts";
import type { Oid } from "../../src/domain/oid.ts";
import { createTestCertificate, type TestCertificate } from "../support/certificates.ts";
import { startGitHttpServer } from "../support/git-http-server.ts";
import { createSourceRepository, type SourceRepository } from "../support/source-repository.ts";
import { deadline, failureOf, fetchWhole, openTestRemotes, serveSource } from "../support/test-remotes.ts";

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

const TOKEN: DirectCredential = { kind: "token", token: "s3cret-token" };
const PASSWORD: DirectCredential = { kind: "basic", username: "ada", password: "s3cret-pass" };

describe("a credential", () => {
  test.each<[string, DirectCredential, { readonly username: string; readonly password: string }]>([
    ["a token goes as the password of a user that forges accept", TOKEN, { username: "oauth2", password: "s3cret-token" }],
    ["user name and password go as they are", PASSWORD, { username: "ada", password: "s3cret-pass" }],
  ])("%s, with the first request already", async (_case, credential, basicAuth) => {
    await using server = await serveSource(source, { basicAuth });
    await using remotes = openTestRemotes();
    await using remote = remotes.open(server.remoteUrl, { credential });
    expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
    await fetchWhole(remote, oid);
    expect(server.requests.map(({ user }) => user)).toEqual(Array.from({ length: 3 }, () => basicAuth.username));
  });

  test("that is missing or wrong is told apart", async () => {
    await using server = await serveSource(source, { basicAuth: { username: "ada", password: "the-right-one" } });
    await using remotes = openTestRemotes();
    await using anonymous = remotes.open(server.remoteUrl);
    expect(await failureOf(anonymous.readHead("main", deadline()))).toMatchObject({
      code: "AuthenticationFailed",
      message: expect.stringContaining("asks for a credential"),
    });
    await using wrong = remotes.open(server.remoteUrl, { credential: PASSWORD });
    expect(await failureOf(wrong.readHead("main", deadline()))).toMatchObject({
      code: "AuthenticationFailed",
      message: expect.stringContaining("refused the credential"),
    });
  });

  test("is not sent in clear text to a host that is not listed by itself", async () => {
    await using remotes = openTestRemotes({
      allowedHosts: ["10.0.0.0/8"],
      resolve: async () => [{ address: "10.0.0.1", family: 4 }],
    });
    expect(() => remotes.open("http://git.test/a.git", { credential: TOKEN })).toThrow(
      expect.objectContaining({ code: "InvalidSpec" }),
    );
    expect(() => remotes.open("http://8.8.8.8/a.git", { credential: TOKEN })).toThrow(
      expect.objectContaining({ code: "InvalidSpec" }),
    );
  });

  test("that the remote repeats does not reach the failure", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    const said = `ERR no access for ${TOKEN.kind === "token" ? TOKEN.token : ""} ${btoa("oauth2:s3cret-token")}`;
    const packet = Buffer.from(`${(said.length + 4).toString(16).padStart(4, "0")}${said}`);
    server.fault = () => ({ kind: "body", contentType: "application/x-git-upload-pack-advertisement", chunks: [packet] });
    await using remote = remotes.open(server.remoteUrl, { credential: TOKEN });
    const { code, message } = await failureOf(remote.readHead("main", deadline()));
    expect(code).toBe("RemoteProtocol");
    expect(message).toContain("no access for *** ***");
  });
});

describe("a redirect", () => {
  test("of the first request is followed, the rest goes to the new address, and later runs go there at once", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    const suffix = "/info/refs?service=git-upload-pack";
    server.fault = ({ path }) =>
      path === `/old${suffix}` ? { kind: "redirect", location: `${server.remoteUrl}${suffix}` } : null;
    for (const calls of [3, 1]) {
      await using remote = remotes.open(`${server.url}/old`);
      expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
      expect(remote.calls).toBe(calls);
      await fetchWhole(remote, oid);
    }
  });

  test("to another origin does not take the credential along", async () => {
    await using target = await serveSource(source, { basicAuth: { username: "oauth2", password: "s3cret-token" } });
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    server.fault = () => ({ kind: "redirect", location: `${target.remoteUrl}/info/refs?service=git-upload-pack` });
    await using remote = remotes.open(server.remoteUrl, { credential: TOKEN });
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({
      code: "AuthenticationFailed",
      message: expect.stringContaining("to which it is not sent"),
    });
    expect(server.requests.map(({ user }) => user)).toEqual(["oauth2"]);
    expect(target.requests.map(({ user }) => user)).toEqual([null]);
  });

  const infoRefs = "/info/refs?service=git-upload-pack";
  test.each<[string, string, RegExp]>([
    ["into the metadata service", `http://169.254.169.254/a${infoRefs}`, /metadata address.*COREGIT_ALLOWED_HOSTS/],
    ["into a private network", `http://10.0.0.1/a${infoRefs}`, /private address/],
    ["to a name of a private address", `http://inner.test/a${infoRefs}`, /inner\.test resolves to a private address/],
    ["to a spelling of loopback on IPv6", `http://[::ffff:169.254.169.254]/a${infoRefs}`, /metadata/],
    ["to another scheme", `file:///etc/passwd${infoRefs}`, /another scheme/],
    ["to a URL with a credential", `http://u:p@127.0.0.1/a${infoRefs}`, /credential/],
    ["to a login page", "/login", /no git repository/],
    ["to another service", "/a/info/refs?service=git-receive-pack", /no git repository/],
    ["to no URL", "http://[", /no URL/],
    ["in a circle", `/a${infoRefs}`, /more than 5 times/],
  ])("%s is refused", async (_case, location, message) => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({ resolve: async () => [{ address: "192.168.1.1", family: 4 }] });
    server.fault = () => ({ kind: "redirect", location });
    await using remote = remotes.open(server.remoteUrl);
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({
      code: "RedirectRefused",
      message: expect.stringMatching(message),
    });
    expect(server.requests.length).toBeLessThanOrEqual(6);
  });

  test("of a later request is refused", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes();
    server.fault = ({ method, path }) => (method === "POST" ? { kind: "redirect", location: path, status: 307 } : null);
    await using remote = remotes.open(server.remoteUrl);
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "RedirectRefused" });
    expect(server.requests.map(({ method }) => method)).toEqual(["GET", "POST"]);
  });

  test("from https to http is refused", async () => {
    await using plain = await serveSource(source);
    await using server = await serveSource(source, { tls: certificate });
    await using remotes = openTestRemotes({ resolve: async () => [{ address: "127.0.0.1", family: 4 }] });
    server.fault = () => ({ kind: "redirect", location: `${plain.remoteUrl}${infoRefs}` });
    await using remote = remotes.open(server.remoteUrl.replace("127.0.0.1", "git.test"), { caPem: certificate.caPem });
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({
      code: "RedirectRefused",
      message: expect.stringContaining("from https to http"),
    });
    expect(plain.requests).toEqual([]);
  });
});

describe("an address", () => {
  test.each(["127.0.0.1", "2130706433", "0x7f000001", "0177.1", "127.1", "[::ffff:127.0.0.1]", "[::1]"])(
    "of loopback written %s is refused and not connected to",
    async (host) => {
      await using server = await serveSource(source);
      await using remotes = openTestRemotes({ allowedHosts: [] });
      await using remote = remotes.open(`http://${host}:${server.port}/a.git`);
      expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "AddressRefused" });
      expect(server.connections).toBe(0);
    },
  );

  test("behind a name is refused when only one of several is private", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({
      allowedHosts: [],
      resolve: async () => [
        { address: "127.0.0.1", family: 4 },
        { address: "8.8.8.8", family: 4 },
      ],
    });
    await using remote = remotes.open(`http://git.test:${server.port}/a.git`);
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({
      code: "AddressRefused",
      message: expect.stringContaining("git.test resolves to a loopback address"),
    });
    expect(server.connections).toBe(0);
  });

  test("behind a listed name may be any", async () => {
    await using server = await serveSource(source);
    await using remotes = openTestRemotes({
      allowedHosts: ["git.test"],
      resolve: async () => [{ address: "127.0.0.1", family: 4 }],
    });
    await using remote = remotes.open(server.remoteUrl.replace("127.0.0.1", "git.test"));
    expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
  });

  test("that a name changes to between two connections is checked again", async () => {
    await using server = await serveSource(source);
    await using secret = await startGitHttpServer({ root: source.path, host: "127.0.0.2" });
    let address = "127.0.0.1";
    let lookups = 0;
    await using remotes = openTestRemotes({
      allowedHosts: ["127.0.0.1"],
      resolve: async () => {
        lookups += 1;
        return [{ address, family: 4 }];
      },
    });
    const url = server.remoteUrl.replace("127.0.0.1", "git.test");
    {
      await using remote = remotes.open(url);
      expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
      address = "127.0.0.2";
      // The connection that stands leads to the address that was checked.
      await fetchWhole(remote, oid);
    }
    expect(lookups).toBe(1);
    await using remote = remotes.open(url);
    expect(await failureOf(remote.readHead("main", deadline()))).toMatchObject({ code: "AddressRefused" });
    expect(secret.connections).toBe(0);
  });

  test("that cannot be resolved or does not answer is unreachable", async () => {
    await using remotes = openTestRemotes({
      resolve: async () => {
        throw Object.assign(new Error("getaddrinfo"), { code: "ENOTFOUND" });
      },
    });
    await using unknown = remotes.open("https://git.test/a");
    expect(await failureOf(unknown.readHead(null, deadline()))).toMatchObject({
      code: "RemoteUnreachable",
      message: expect.stringContaining("git.test"),
    });
    await using closed = remotes.open("http://127.0.0.1:1/a");
    expect(await failureOf(closed.readHead(null, deadline()))).toMatchObject({
      code: "RemoteUnreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  test("that is never found out costs no more than the time to connect, or the signal's", async () => {
    const never = () => new Promise<never>(() => undefined);
    await using remotes = openTestRemotes({ limits: { connectMs: 300 }, resolve: never });
    await using remote = remotes.open("https://git.test/a");
    expect(await failureOf(remote.readHead(null, deadline()))).toMatchObject({ code: "RemoteUnreachable" });
    await using patient = openTestRemotes({ resolve: never });
    await using other = patient.open("https://git.test/a");
    expect(await failureOf(other.readHead(null, AbortSignal.timeout(100)))).toMatchObject({ code: "Timeout" });
  });

  test("of a proxy in the environment is not used", async () => {
    await using server = await serveSource(source);
    process.env.HTTP_PROXY = "http://127.0.0.1:1";
    process.env.http_proxy = "http://127.0.0.1:1";
    try {
      await using remotes = openTestRemotes();
      await using remote = remotes.open(server.remoteUrl);
      expect(await remote.readHead("main", deadline())).toMatchObject({ oid });
    } finally {
      delete process.env.HTTP_PROXY;
      delete process.env.http_proxy;
    }
  });
});
