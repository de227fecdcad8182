import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { toYaml } from "./yaml.ts";

test("any JSON value comes back from a YAML reader as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      // -0 is not JSON.
      const json: unknown = JSON.parse(JSON.stringify(value));
      expect(parse(toYaml(json))).toEqual(json);
    }),
  );
});

test("lists of mappings read as kubectl prints them", () => {
  expect(toYaml({ syncs: [{ name: "a", tags: ["x"], none: null, empty: {} }], on: "yes" })).toBe(
    'syncs:\n  - name: a\n    tags:\n      - x\n    none: null\n    empty: {}\n"on": "yes"\n',
  );
});
