// Helm as a person has it, and the chart as it renders it.
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { goProgram } from "./go-program.ts";

export const CHART = join(import.meta.dirname, "../../charts/coregit");
export const RELEASE = "coregit";
/** The sets of values that the chart is tested with; `default` is none at all. */
export const SHAPES = ["default", "minimal", "ha", "everything"] as const;
export type Shape = (typeof SHAPES)[number];

/** Building Helm the first time takes minutes. */
export const HELM_DEADLINE_MS = 15 * 60_000;

export type ChartObject = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly rules?: unknown;
  readonly data?: Readonly<Record<string, string>>;
};

export interface Helm {
  /** Standard output. @throws with Helm's standard error in the message. */
  run(...args: string[]): Promise<string>;
  /** What the chart renders, as text. */
  template(shape: Shape, ...sets: string[]): Promise<string>;
  /** The objects of the chart, hooks included, with the values of a shape and those of `--set` arguments. */
  render(shape: Shape, ...sets: string[]): Promise<readonly ChartObject[]>;
}

const run = promisify(execFile);

/** `kubeconfig`: of the cluster that commands speak to, what they learn of it beside it; default: none. */
export async function openHelm(kubeconfig = "/nonexistent/kubeconfig"): Promise<Helm> {
  const program = await goProgram(
    {
      package: "helm.sh/helm/v4/cmd/helm@v4.3.1",
      name: "helm",
      cache: "helm",
      neededBy: "The tests of the chart need Helm",
      takes: "about four minutes",
    },
    (line) => process.stderr.write(`${line}\n`),
  );
  const cache = join(dirname(kubeconfig), "helm-cache");
  const env = { HOME: "/nonexistent", PATH: process.env.PATH, KUBECONFIG: kubeconfig, KUBECACHEDIR: cache };
  const helm = async (...args: string[]): Promise<string> =>
    (await run(program, args, { env, maxBuffer: 32 * 1024 * 1024 })).stdout;
  const template = (shape: Shape, ...sets: string[]): Promise<string> => {
    const values = sets.flatMap((set) => ["--set", set]);
    return helm("template", RELEASE, CHART, "--namespace", "coregit", ...valuesOf(shape), ...values);
  };
  return { run: helm, template, render: async (shape, ...sets) => parseObjects(await template(shape, ...sets)) };
}

export function valuesOf(shape: Shape): string[] {
  return shape === "default" ? [] : ["--values", join(CHART, "ci", `${shape}-values.yaml`)];
}

function parseObjects(text: string): readonly ChartObject[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as ChartObject | null)
    .filter((object) => object !== null);
}
