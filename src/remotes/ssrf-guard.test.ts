import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { addressClass, checkAddresses, isListedHost, parseAllowedHosts } from "./ssrf-guard.ts";

describe("the class of an address", () => {
  test.each([
    ["0.0.0.0", "unspecified"],
    ["10.1.2.3", "private"],
    ["172.16.0.1", "private"],
    ["192.168.1.1", "private"],
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["169.254.0.1", "link-local"],
    ["169.254.169.254", "metadata"],
    ["168.63.129.16", "metadata"],
    ["100.64.0.1", "carrier-grade NAT"],
    ["100.100.100.200", "metadata"],
    ["224.0.0.1", "multicast"],
    ["255.255.255.255", "broadcast"],
    ["240.0.0.1", "reserved"],
    ["192.0.2.1", "reserved"],
    ["198.18.0.1", "reserved"],
    ["192.0.0.192", "reserved"],
    ["::", "unspecified"],
    ["::1", "loopback"],
    ["fe80::1", "link-local"],
    ["fe80::1%eth0", "link-local"],
    ["fc00::1", "private"],
    ["fd00:ec2::254", "metadata"],
    ["fec0::1", "private"],
    ["ff02::1", "multicast"],
    ["2001:db8::1", "reserved"],
    ["3fff::1", "reserved"],
    ["2001::1", "reserved"],
    ["100::1", "reserved"],
    ["4000::1", "reserved"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:a9fe:a9fe", "metadata"],
    ["::ffff:0:10.0.0.1", "reserved"],
    ["64:ff9b::7f00:1", "loopback"],
    ["64:ff9b::10.0.0.1", "private"],
    ["64:ff9b:1::10.0.0.1", "reserved"],
    ["2002:7f00:1::", "loopback"],
    ["2002:a9fe:a9fe::1", "metadata"],
    ["::127.0.0.1", "reserved"],
    ["::8.8.8.8", "reserved"],
    ["::808:808", "reserved"],
    ["not an address", "malformed"],
  ])("%s is %s", (address, kind) => {
    expect(addressClass(address)).toBe(kind);
  });

  test.each(["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"])(
    "%s is public",
    (address) => {
      expect(addressClass(address)).toBeNull();
    },
  );

  test.each([
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0x7f.1/",
    "http://①②⑦.0.0.1/",
  ])("the spelling %s of loopback is seen through by the URL parser", (text) => {
    expect(addressClass(new URL(text).hostname)).toBe("loopback");
  });
});

describe("a host passes", () => {
  const allowed = parseAllowedHosts(["git.corp.example", "10.0.0.0/8", "192.168.7.7", "fd12::/16", "::ffff:172.16.0.0/108"]);

  test.each([
    ["git.corp.example", ["127.0.0.1"]],
    ["GIT.corp.example.", ["169.254.169.254"]],
    ["public.example", ["8.8.8.8", "2606:4700::1"]],
    ["inner.example", ["10.9.8.7", "8.8.8.8"]],
    ["10.1.1.1", ["10.1.1.1"]],
    ["mapped.example", ["::ffff:10.0.0.5"]],
    ["exact.example", ["192.168.7.7"]],
    ["six.example", ["fd12::5"]],
    ["range.example", ["172.16.3.4"]],
  ])("%s at %j", (host, addresses) => {
    expect(() => checkAddresses(allowed, host, addresses)).not.toThrow();
  });

  test("only when every one of its addresses does", () => {
    expect(() => checkAddresses(allowed, "mixed.example", ["8.8.8.8", "127.0.0.1"])).toThrow(CoregitError);
    expect(() => checkAddresses(allowed, "mixed.example", ["8.8.8.8", "192.168.7.8"])).toThrow(CoregitError);
  });

  test("and the refusal names host, class and setting, but no address of the inner network", () => {
    try {
      checkAddresses(allowed, "evil.example", ["192.168.9.9"]);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: "AddressRefused",
        message: "The host evil.example resolves to a private address; an operator can allow it with COREGIT_ALLOWED_HOSTS.",
      });
    }
  });

  test("by name without letting its parent or its children through", () => {
    expect(() => checkAddresses(allowed, "corp.example", ["127.0.0.1"])).toThrow(CoregitError);
    expect(() => checkAddresses(allowed, "a.git.corp.example", ["127.0.0.1"])).toThrow(CoregitError);
  });
});

describe("the list of allowed hosts", () => {
  test.each(["https://host/", "host:8080", "*.example.com", "", "a b", "host/path", "10.0.0.0/40"])("refuses %j", (entry) => {
    expect(() => parseAllowedHosts([entry])).toThrow(/COREGIT_ALLOWED_HOSTS/);
  });

  test("knows a literal address of a range as listed, and a name only by its name", () => {
    const allowed = parseAllowedHosts(["127.0.0.0/8", "[::1]", "Example.COM."]);
    expect(["127.0.0.1", "[::1]", "example.com", "8.8.8.8", "localhost"].map((host) => isListedHost(allowed, host))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
