import { describe, expect, test } from "vitest";
import { encodeReport } from "./report.ts";

const REPORT = {
  unpackProblem: null,
  refs: [
    { name: "refs/heads/a", problem: null },
    { name: "refs/heads/b", problem: "over\ntwo lines" },
  ],
};
const LINES = "000eunpack ok\n0014ok refs/heads/a\n0023ng refs/heads/b over two lines\n0000";

const encode = (...capabilities: string[]) =>
  encodeReport(REPORT, new Map(capabilities.map((name) => [name, ""]))).toString("latin1");

describe("the report of a push", () => {
  test.each(["report-status", "report-status-v2"])("is plain lines for a client with %s", (capability) => {
    expect(encode(capability)).toBe(LINES);
  });

  test("is in the first band for a client with bands", () => {
    expect(encode("report-status", "side-band-64k")).toBe(
      `${(LINES.length + 5).toString(16).padStart(4, "0")}\u0001${LINES}0000`,
    );
  });

  test("is empty for a client that wants none", () => {
    expect([encode(), encode("side-band-64k")]).toEqual(["", "0000"]);
  });

  test("says why a pack was not taken", () => {
    const refused = { unpackProblem: "The pack is broken.", refs: [] };
    expect(encodeReport(refused, new Map([["report-status", ""]])).toString()).toBe("001funpack The pack is broken.\n0000");
  });

  test("goes over several packets of the band when it is long", () => {
    const refs = Array.from({ length: 5_000 }, (_, index) => ({ name: `refs/heads/branch-${index}`, problem: null }));
    const bytes = encodeReport(
      { unpackProblem: null, refs },
      new Map([
        ["report-status", ""],
        ["side-band-64k", ""],
      ]),
    );
    expect(bytes.subarray(0, 5).toString("latin1")).toBe("fff0\u0001");
    expect(bytes.at(0xfff0 + 4)).toBe(1);
  });
});
