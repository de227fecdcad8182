// The status that a kubelet writes of a pod with one container.
import type { Pod } from "./pod-runner.ts";

const condition = (type: string, isTrue: boolean, reason?: string) => ({
  type,
  status: isTrue ? "True" : "False",
  lastTransitionTime: new Date().toISOString(),
  ...(reason === undefined ? {} : { reason }),
});

const containerOf = ({ spec }: Pod, ready: boolean, state: object) => {
  const [container] = spec.containers;
  return [{ name: container?.name, image: container?.image, imageID: "", restartCount: 0, started: ready, ready, state }];
};

export function runningStatus(pod: Pod, isReady: boolean): object {
  const conditions = [condition("Initialized", true), condition("ContainersReady", isReady), condition("Ready", isReady)];
  const containerStatuses = containerOf(pod, isReady, { running: { startedAt: new Date().toISOString() } });
  return { phase: "Running", startTime: pod.metadata.creationTimestamp, conditions, containerStatuses };
}

export function endedStatus(pod: Pod, exitCode: number): object {
  const phase = exitCode === 0 ? "Succeeded" : "Failed";
  const reason = exitCode === 0 ? "Completed" : "Error";
  const why = exitCode === 0 ? "PodCompleted" : "PodFailed";
  const conditions = [condition("Initialized", true), condition("ContainersReady", false, why), condition("Ready", false, why)];
  const state = { terminated: { exitCode, reason, finishedAt: new Date().toISOString() } };
  return { phase, startTime: pod.metadata.creationTimestamp, conditions, containerStatuses: containerOf(pod, false, state) };
}
