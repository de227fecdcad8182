// The status that Kubernetes' controllers would write.
import type { KubeObject } from "../../src/kube/object.ts";

const condition = (type: string, reason: string) => {
  const now = new Date().toISOString();
  return { type, status: "True", reason, message: reason, lastTransitionTime: now };
};

/** Of a Deployment or StatefulSet all of whose pods are ready and of the current template. */
export function readyStatus({ kind, metadata, spec }: KubeObject): object {
  const { replicas = 1 } = (spec ?? {}) as { readonly replicas?: number };
  const counts = { replicas, updatedReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas };
  const observed = { observedGeneration: metadata.generation, ...counts };
  if (kind === "StatefulSet") return { ...observed, currentReplicas: replicas, currentRevision: "1", updateRevision: "1" };
  const conditions = [condition("Available", "MinimumReplicasAvailable"), condition("Progressing", "NewReplicaSetAvailable")];
  return { ...observed, conditions };
}

/** Of a Job whose only pod has ended. */
export function endedStatus(isSuccess: boolean): object {
  const time = new Date().toISOString();
  const times = { startTime: time, ...(isSuccess ? { completionTime: time } : {}) };
  const conditions = isSuccess
    ? [condition("SuccessCriteriaMet", "CompletionsReached"), condition("Complete", "CompletionsReached")]
    : [condition("FailureTarget", "BackoffLimitExceeded"), condition("Failed", "BackoffLimitExceeded")];
  return { ...times, [isSuccess ? "succeeded" : "failed"]: 1, uncountedTerminatedPods: {}, conditions };
}
