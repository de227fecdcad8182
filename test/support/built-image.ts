// What the image holds, made once for all test files of a run by the script that the Dockerfile calls: it takes half a minute. Each
// file has folders of its own with links to the same contents, so that a process left behind is seen to be that file's.
import { execFile } from "node:child_process";
import { access, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { withBuildLock } from "./go-build.ts";

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");

/** Makes `target` an image's folder. `shared`: the run's folder for it, on the same file system. */
export async function linkImage(shared: string, target: string): Promise<void> {
  const image = join(shared, "image");
  await withBuildLock(join(shared, "lock"), async () => {
    if (!(await exists(image))) await build(shared, image);
  });
  await run("cp", ["-al", image, target]);
}

/** Removes a folder with images that may not be written. */
export async function removeImages(folder: string): Promise<void> {
  // Files are removed by who may write their folder, and have their modes in common with those of other images.
  if (process.getuid?.() !== 0) await run("find", [folder, "-type", "d", "-exec", "chmod", "u+w", "{}", "+"]);
  await rm(folder, { recursive: true, force: true });
}

/** It appears by one rename: what an interrupted build leaves is no image. */
async function build(shared: string, image: string): Promise<void> {
  const draft = await mkdtemp(join(shared, "draft-"));
  await run(process.execPath, [join(ROOT, "scripts/image.ts"), draft]);
  await rename(draft, image);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
