// What must hold of the conditions of every object at every moment: the rules FAIL0001 to FAIL0009 of Flux's status checker
// (fluxcd/pkg, runtime/conditions/check), and that what kstatus reads is never contradictory.
import type { KubeObject } from "../../src/kube/object.ts";
import { GROUP, VERSION } from "../../src/resources/kind.ts";
import { KINDS } from "../../src/resources/kinds.ts";
import type { Cluster, ShownCondition } from "./cluster.ts";

type Shown = {
  readonly generation: number;
  readonly observedGeneration: number;
  readonly conditions: readonly ShownCondition[];
};

type Invariant = { readonly code: string; readonly text: string; readonly holds: (shown: Shown) => boolean };

const NEGATIVE = ["Reconciling", "Stalled"];

const find = ({ conditions }: Shown, type: string) => conditions.find((condition) => condition.type === type);
const isTrue = (shown: Shown, type: string) => find(shown, type)?.status === "True";
const isReadyFalse = (shown: Shown) => find(shown, "Ready")?.status === "False";

const INVARIANTS: readonly Invariant[] = [
  {
    code: "FAIL0001",
    text: "no negative condition is True while Ready is True",
    holds: (shown) => !isTrue(shown, "Ready") || !NEGATIVE.some((type) => isTrue(shown, type)),
  },
  { code: "FAIL0002", text: "Ready is always there", holds: (shown) => find(shown, "Ready") !== undefined },
  {
    code: "FAIL0003",
    text: "Ready is False while Reconciling is True",
    holds: (shown) => !isTrue(shown, "Reconciling") || isReadyFalse(shown),
  },
  {
    code: "FAIL0004",
    text: "Ready is False while Stalled is True",
    holds: (shown) => !isTrue(shown, "Stalled") || isReadyFalse(shown),
  },
  {
    code: "FAIL0005",
    text: "Reconciling and Stalled are not there together",
    holds: (shown) => find(shown, "Reconciling") === undefined || find(shown, "Stalled") === undefined,
  },
  {
    code: "FAIL0006",
    text: "observedGeneration is not beyond the generation",
    holds: ({ generation, observedGeneration }) => observedGeneration <= generation,
  },
  {
    code: "FAIL0007",
    text: "Ready is not True of an older generation",
    holds: (shown) => shown.observedGeneration >= shown.generation || !isTrue(shown, "Ready"),
  },
  {
    code: "FAIL0008",
    text: "no condition is of an older generation while Ready is True",
    holds: (shown) => !isTrue(shown, "Ready") || shown.conditions.every((each) => each.observedGeneration >= shown.generation),
  },
  {
    code: "FAIL0009",
    text: "every condition's observedGeneration is the status's while Ready is True",
    holds: (shown) =>
      !isTrue(shown, "Ready") || shown.conditions.every((each) => each.observedGeneration === shown.observedGeneration),
  },
  {
    code: "ABNORMAL",
    text: "Reconciling and Stalled are there only while True",
    holds: ({ conditions }) => conditions.every(({ type, status }) => !NEGATIVE.includes(type) || status === "True"),
  },
  {
    code: "REASON",
    text: "every condition has a CamelCase reason and a message",
    holds: ({ conditions }) => conditions.every(({ reason, message }) => /^[A-Z][A-Za-z]+$/.test(reason) && message !== ""),
  },
];

/**
 * The invariants that do not hold, as `FAIL0001 RepoSync team/site: …`. An object that the operator has not seen in this
 * generation yet is judged by nothing: it is between a person's write and the operator's answer.
 */
export function brokenInvariants(object: KubeObject): string[] {
  const { conditions, observedGeneration = -1 } = (object.status ?? {}) as Partial<Shown>;
  if (conditions === undefined) return [];
  const generation = object.metadata.generation ?? 0;
  const shown = { conditions, observedGeneration, generation };
  const { namespace, name } = object.metadata;
  return INVARIANTS.filter(({ holds }) => !holds(shown)).map(
    ({ code, text }) => `${code} ${object.kind} ${namespace}/${name}: ${text}`,
  );
}

/** Looks at every object of the three kinds in a namespace. */
export async function brokenInvariantsIn(cluster: Cluster, namespace: string): Promise<string[]> {
  const broken: string[] = [];
  for (const { kind, plural } of Object.values(KINDS)) {
    await cluster.api.list({ group: GROUP, version: VERSION, plural, kind }, namespace, (page) => {
      for (const object of page) broken.push(...brokenInvariants({ ...object, kind }));
    });
  }
  return broken;
}
