// What the tools of GitOps make of objects: a program of their own code (test/kube/gitops) that is asked over its standard input.
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { parse } from "yaml";
import { goModule } from "./go-program.ts";

const ROOT = join(import.meta.dirname, "../..");

export type Judgement = {
  /** `Current`, `InProgress`, `Failed` or `Terminating`. */
  readonly kstatus: string;
  readonly argo: { readonly status: string; readonly message: string };
};

/** The health script of the example for Argo CD. */
async function readHealthScript(): Promise<string> {
  const example = parse(await readFile(join(ROOT, "examples/gitops/argocd-health.yaml"), "utf8"));
  return parse(example.data["resource.customizations"])["coregit.dev/*"]["health.lua"];
}

/** A judgement for each object, in their order. */
export async function judge(objects: readonly object[]): Promise<readonly Judgement[]> {
  const program = await goModule(
    {
      folder: join(ROOT, "test/kube/gitops"),
      name: "gitops-judge",
      cache: "gitops",
      neededBy: "The tests of GitOps tools need their code",
      takes: "about a minute",
    },
    (line) => process.stderr.write(`${line}\n`),
  );
  const script = await readHealthScript();
  const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify({ script, objects }));
  const answer = await text(child.stdout);
  if (answer === "") throw new Error("The judge has found no answer; standard error says why.");
  return JSON.parse(answer);
}
