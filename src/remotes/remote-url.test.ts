import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import type { Provider } from "../domain/sync-spec.ts";
import { locateApi, locateRemote, projectName } from "./remote-url.ts";

function locate(remote: string, baseUrl: string | null = null, provider: Provider = "git") {
  return locateRemote({ provider, baseUrl, remote, credential: null, caPem: null });
}

describe("a remote is found", () => {
  test.each<[Provider, string | null, string, string]>([
    ["git", null, "https://example.com/a/b.git", "https://example.com/a/b.git"],
    ["git", null, "https://EXAMPLE.com:443/a/b/", "https://example.com/a/b"],
    ["git", null, "http://example.com:8080/a", "http://example.com:8080/a"],
    ["git", null, "https://example.com/größe.git", "https://example.com/gr%C3%B6%C3%9Fe.git"],
    ["git", "https://example.com/git/", "team/repo.git", "https://example.com/git/team/repo.git"],
    ["git", "https://example.com/git", "/team/repo.git", "https://example.com/git/team/repo.git"],
    ["git", "https://example.com/git", "https://example.com/git/team/repo.git", "https://example.com/git/team/repo.git"],
    ["github", null, "owner/repo", "https://github.com/owner/repo.git"],
    ["github", null, "owner/repo.git", "https://github.com/owner/repo.git"],
    ["github", null, "https://github.com/owner/repo", "https://github.com/owner/repo.git"],
    ["github", "https://api.github.com", "owner/repo", "https://github.com/owner/repo.git"],
    ["github", "https://ghe.example.com/api/v3", "owner/repo", "https://ghe.example.com/owner/repo.git"],
    ["gitlab", null, "group/sub/project", "https://gitlab.com/group/sub/project.git"],
    ["gitlab", "https://example.com/gitlab", "group/project", "https://example.com/gitlab/group/project.git"],
    ["git", null, "file:///srv/git/a.git", "file:///srv/git/a.git"],
  ])("%s, base %s, %s", (provider, baseUrl, remote, expected) => {
    expect(locate(remote, baseUrl, provider).url.href).toBe(expected);
  });

  test("as a folder for a file URL", () => {
    expect(locate("file:///srv/my%20repos/a")).toMatchObject({ kind: "file", path: "/srv/my repos/a" });
  });
});

describe("a remote is refused", () => {
  test.each<[string, RegExp]>([
    ["", /is empty/],
    ["https://user:secret@example.com/a", /user name or password.*Secret/],
    ["https://token@example.com/a", /user name or password/],
    ["https://@example.com/a", /user name or password/],
    ["https://example.com/a?x=1", /query/],
    ["https://example.com/a#x", /fragment/],
    ["https://example.com/", /no repository/],
    ["https://example.com", /no repository/],
    ["https://example.com/a\nb", /cannot be printed/],
    ["https://example.com/a\r", /cannot be printed/],
    ["https://exam\u202eple.com/a", /cannot be printed/],
    ["https://example.com/a b", /space/],
    ["https://example.com/a%0d%0ab", /encoded/],
    ["https://example.com/a%2fb", /encoded/],
    ["https://example.com/a%5Cb", /encoded/],
    ["https://example.com/a\\b", /backslash/],
    ["https://example.com/a/../b", /"\.\."/],
    ["https://example.com/a/%2e%2E/b", /"\.\."/],
    ["https://example.com/./b", /"\."/],
    ["https://example.com/a//b", /empty part/],
    ["https:/example.com/a", /ssh address/],
    ["https:example.com/a", /ssh address/],
    ["//example.com/a", /not a URL/],
    ["owner/repo", /not a URL/],
    ["ssh://git@example.com/a", /https URL and a token/],
    ["git@example.com:a/b.git", /https URL and a token/],
    ["example.com:a/b.git", /https URL and a token/],
    ["ext::sh -c true", /cannot be printed/],
    ["ext::sh", /remote helper/],
    ["git://example.com/a", /does not begin with/],
    ["ftp://example.com/a", /does not begin with/],
    ["javascript://example.com/a", /does not begin with/],
    ["file://host/a", /three slashes/],
    ["file:///a/%zz", /escape/],
    [`https://example.com/${"a".repeat(2100)}`, /longer/],
    ["https://[::1/a", /not a URL/],
  ])("%j", (remote, message) => {
    expect(() => locate(remote)).toThrow(
      expect.objectContaining({ code: "InvalidSpec", message: expect.stringMatching(message) }),
    );
  });

  test.each([
    ["../other", "https://example.com/git"],
    ["a/../../other", "https://example.com/git"],
    ["%2e%2e/other", "https://example.com/git"],
    ["a%2f..%2fb", "https://example.com/git"],
    ["//evil.example/a", "https://example.com/git"],
    ["https://evil.example/a", "https://example.com/git"],
    ["http://example.com/git/a", "https://example.com/git"],
    ["https://example.com/git-other/a", "https://example.com/git"],
    ["https://example.com/git", "https://example.com/git"],
    ["a@b:c/d", "https://example.com/git"],
    ["file:///etc", "https://example.com/git"],
    ["a", "https://user:pw@example.com/git"],
    ["a", "ssh://example.com/git"],
    ["a", "/srv/git"],
  ])("%s below %s", (remote, baseUrl) => {
    expect(() => locate(remote, baseUrl)).toThrow(expect.objectContaining({ code: "InvalidSpec" }));
  });

  test.each<[Provider, string]>([
    ["github", "owner"],
    ["github", "owner/repo/more"],
    ["github", "owner/re:po"],
    ["github", "own%65r/repo"],
    ["gitlab", "project"],
    ["gitlab", "https://example.com/group/project"],
  ])("%s %s", (provider, remote) => {
    expect(() => locate(remote, null, provider)).toThrow(expect.objectContaining({ code: "InvalidSpec" }));
  });

  test("without repeating the credential that was in it", () => {
    for (const remote of [
      "https://user:hunter2@example.com/a",
      "ssh://u:hunter2@h/a",
      "https://u:hunter2@h/a b",
      "x://hunter2@h",
    ]) {
      expect(() => locate(remote)).toThrow(expect.objectContaining({ message: expect.not.stringContaining("hunter2") }));
    }
  });
});

test("whatever is declared, the URL stays below its base and has no credential", () => {
  const part = fc.constantFrom(
    "a",
    "..",
    "%2e",
    "/",
    "//",
    "@",
    ":",
    "\\",
    "%2f",
    "https://",
    "evil.example",
    "?",
    "#",
    "git",
    ".",
  );
  const text = fc.oneof(
    fc.array(part).map((parts) => parts.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (remote) => {
      try {
        const { url } = locate(remote, "https://example.com/git");
        expect(url.href).toMatch(/^https:\/\/example\.com\/git\/[^?#]+$/);
        expect(url.pathname.split("/")).not.toContain("..");
      } catch (error) {
        expect(error).toBeInstanceOf(CoregitError);
      }
    }),
    { numRuns: 2000 },
  );
});

describe("the API of a provider", () => {
  test.each([
    ["github", null, "https://api.github.com/"],
    ["github", "https://github.com", "https://api.github.com/"],
    ["github", "https://api.github.com", "https://api.github.com/"],
    ["github", "https://acme.ghe.com", "https://api.acme.ghe.com/"],
    ["github", "https://api.acme.ghe.com/", "https://api.acme.ghe.com/"],
    ["github", "https://hub.example.com", "https://hub.example.com/api/v3"],
    ["github", "https://hub.example.com/api/v3/", "https://hub.example.com/api/v3"],
    ["gitlab", null, "https://gitlab.com/api/v4"],
    ["gitlab", "https://lab.example.com:8443/git/", "https://lab.example.com:8443/git/api/v4"],
  ] as const)("%s at %s is %s", (provider, baseUrl, api) => {
    expect(locateApi(provider, baseUrl)?.href).toBe(api);
  });

  test("is not there for other git servers, and not in a folder", () => {
    expect(locateApi("git", "https://git.example.com")).toBeNull();
    expect(() => locateApi("gitlab", "file:///srv/git")).toThrow("is not the URL of a server");
  });
});

describe("the name that an API has for a remote", () => {
  test.each<[Provider, string | null, string, string | null]>([
    ["github", null, "acme/site", "acme/site"],
    ["github", "https://ghe.example.com/api/v3", "https://ghe.example.com/acme/site.git", "acme/site"],
    ["gitlab", null, "group/sub/project", "group/sub/project"],
    ["gitlab", "https://example.com/gitlab", "group/project.git", "group/project"],
    ["git", "https://git.example.com", "acme/site", null],
    ["git", null, "https://git.example.com/acme/site", null],
  ])("at %s, base %s, of %s is %s", (provider, baseUrl, remote, expected) => {
    expect(projectName({ provider, baseUrl }, locate(remote, baseUrl, provider))).toBe(expected);
  });
});
