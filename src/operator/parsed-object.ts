// Objects of the API server as typed resources. The server has validated them against the CRDs; one that still does not parse
// was stored under other CRDs than this program's, and is at fault for it.
import { CoregitError } from "../domain/errors.ts";
import type { Owner } from "../domain/sync-spec.ts";
import { apiVersionOf, type KubeObject, type ResourceKind } from "../kube/object.ts";
import type { Condition } from "../resources/condition.ts";
import type { ConditionContext } from "../resources/conditions.ts";
import { describeIssues } from "../resources/issue.ts";
import type { AnyResource, KindName } from "../resources/kinds.ts";
import { parseResource } from "../resources/parse-resource.ts";

/** @throws CoregitError `InvalidSpec` */
export function parseObject<K extends KindName>(
  kind: K,
  resource: ResourceKind,
  object: KubeObject,
): AnyResource & { readonly kind: K } {
  const document = { ...object, apiVersion: apiVersionOf(resource), kind };
  const parsed = parseResource(document, { unknownFields: "drop" });
  if (!parsed.ok) throw new CoregitError("InvalidSpec", describeIssues(parsed.issues));
  return parsed.resource as AnyResource & { readonly kind: K };
}

/** A resource owns its row by uid: another one of the same name is another owner. */
export function ownerOf(object: KubeObject): Owner {
  return { kind: "resource", ref: object.metadata.uid };
}

export function conditionContext(object: KubeObject, now: string): ConditionContext {
  const status = (object.status ?? {}) as { readonly conditions?: readonly Condition[] };
  return { generation: object.metadata.generation ?? 0, previous: status.conditions, now };
}
