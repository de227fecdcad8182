// Finds the programs of a Kubernetes control plane, building them when nobody has: KUBEBUILDER_ASSETS, else the
// cache, else `go build` of test/kube/control-plane. A build takes minutes once; its folder is named by everything
// that decides its content, appears by one rename, and two test runs at once make one build. The controller manager, which
// few tests need and setup-envtest does not bring, is a build of its own.
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { goCaches, isExecutable, runGo, withBuildLock, writableCache } from "./go-build.ts";

const PROGRAMS = ["etcd", "kube-apiserver", "kubectl"] as const;
const CONTROLLERS = "kube-controller-manager";
const MODULE = join(import.meta.dirname, "../kube/control-plane");
const KUBERNETES_VERSION = "v1.36.3";

/**
 * A folder that holds etcd, kube-apiserver and kubectl.
 * @throws Error naming what to install when there is neither a Go tool chain nor a folder of programs.
 */
export async function controlPlanePrograms(say: (line: string) => void): Promise<string> {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given !== undefined && given !== "") return checked(given);
  return built(PROGRAMS, say);
}

/** Path of kube-controller-manager. @throws Error as `controlPlanePrograms`. */
export async function controllerManagerProgram(say: (line: string) => void): Promise<string> {
  const given = process.env.KUBEBUILDER_ASSETS;
  if (given !== undefined && (await isComplete(given, [CONTROLLERS]))) return join(given, CONTROLLERS);
  return join(await built([CONTROLLERS], say), CONTROLLERS);
}

/** A folder of the cache with these programs. */
async function built(programs: readonly string[], say: (line: string) => void): Promise<string> {
  const goVersion = await readGoVersion();
  const cache = await writableCache("control-plane");
  const target = join(cache, await buildKey(goVersion, programs));
  if (await isComplete(target, programs)) return target;
  await withBuildLock(`${target}.lock`, async () => {
    if (!(await isComplete(target, programs))) await buildInto(target, programs, say);
  });
  return target;
}

async function checked(folder: string): Promise<string> {
  if (await isComplete(folder, PROGRAMS)) return folder;
  throw new Error(`KUBEBUILDER_ASSETS=${folder} does not hold ${PROGRAMS.join(", ")}`);
}

async function isComplete(folder: string, programs: readonly string[]): Promise<boolean> {
  const found = await Promise.all(programs.map((program) => isExecutable(join(folder, program))));
  return found.every(Boolean);
}

async function readGoVersion(): Promise<string> {
  try {
    return (await runGo(["env", "GOVERSION", "GOOS", "GOARCH"])).trim();
  } catch (error) {
    throw new Error(
      "The Kubernetes tests need a control plane: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with " +
        `${PROGRAMS.join(", ")} (for example from setup-envtest).`,
      { cause: error },
    );
  }
}

async function buildKey(goVersion: string, programs: readonly string[]): Promise<string> {
  const hash = createHash("sha256").update(`${goVersion}\0${KUBERNETES_VERSION}\0`);
  for (const source of ["go.mod", "go.sum", ...programs.map((program) => `cmd/${program}/main.go`)]) {
    hash.update(`${source}\0`).update(await readFile(join(MODULE, source)));
  }
  return hash.digest("hex").slice(0, 20);
}

async function buildInto(target: string, programs: readonly string[], say: (line: string) => void): Promise<void> {
  const draft = await mkdtemp(`${target}.draft-`);
  try {
    for (const program of programs) {
      say(`building ${program} of Kubernetes ${KUBERNETES_VERSION} for the tests, once (a few minutes)`);
      await buildProgram(program, draft);
    }
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function buildProgram(program: string, folder: string): Promise<void> {
  const stamp = `-X k8s.io/component-base/version.gitVersion=${KUBERNETES_VERSION}`;
  const args = ["build", "-trimpath", "-buildvcs=false", "-ldflags", `-s -w ${stamp}`, "-o", join(folder, program)];
  await runGo([...args, `./cmd/${program}`], { cwd: MODULE, env: await goCaches(folder) });
}
