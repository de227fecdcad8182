// vitest's global setup of the kube tests: a folder for the one image of the run, which the first file that needs it makes.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { removeImages } from "./built-image.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly imageFolder: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "coregit-built-image-"));
  project.provide("imageFolder", folder);
  return () => removeImages(folder);
}
