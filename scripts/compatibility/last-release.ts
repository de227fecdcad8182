// What the last release left in the world, as `test/released/` keeps it: its CRDs, and the migrations that databases have.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { Schema } from "./crd-changes.ts";

const root = join(import.meta.dirname, "../..");

export const RELEASED = join(root, "test/released");
export const CRDS = join(root, "crds");
export const RELEASED_MIGRATIONS = join(RELEASED, "migrations.json");

/** Name of the file → SHA-256. */
export type ReleasedMigrations = Readonly<Record<string, string>>;

export function readCrds(folder: string): ReadonlyMap<string, Schema> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  return new Map(files.map((name) => [name, parse(readFileSync(join(folder, name), "utf8")) as Schema]));
}

export function readReleasedMigrations(): ReleasedMigrations {
  return JSON.parse(readFileSync(RELEASED_MIGRATIONS, "utf8")) as ReleasedMigrations;
}
