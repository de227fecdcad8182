// vitest's global setup of the kube tests: one control plane for all files, stopped at the end.
import type { TestProject } from "vitest/node";
import { startControlPlane } from "./control-plane.ts";

declare module "vitest" {
  interface ProvidedContext {
    readonly kubeconfig: string;
    readonly kubectl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const controlPlane = await startControlPlane((line) => process.stderr.write(`${line}\n`));
  project.provide("kubeconfig", controlPlane.kubeconfig);
  project.provide("kubectl", controlPlane.kubectl);
  return async () => controlPlane[Symbol.asyncDispose]();
}
