// Which conditions a state has, as kstatus and Flux read them: Ready always; Reconciling while Coregit is still at it by
// itself; Stalled when nothing will happen until somebody changes something. Either of the two goes with Ready False only.
import { type ErrorCode, retryKind } from "../domain/errors.ts";
import { type Condition, MESSAGE_MAX_LENGTH } from "./condition.ts";

export type ReadyState = {
  readonly ready: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly because?: "Reconciling" | "Stalled";
};

export type ConditionContext = {
  /** `metadata.generation` of the resource as it was read. */
  readonly generation: number;
  readonly previous: readonly Condition[] | undefined;
  /** Now, RFC 3339. */
  readonly now: string;
};

/** The state of an object that failed: an error that Coregit retries is Reconciling, another one Stalled. */
export function failedState(code: ErrorCode, message: string): ReadyState {
  return { ready: "False", reason: code, message, because: retryKind(code) === "terminal" ? "Stalled" : "Reconciling" };
}

/** The conditions of `state`; a time moves only where the status differs from the previous one. */
export function conditionsOf(state: ReadyState, { generation, previous, now }: ConditionContext): Condition[] {
  const make = (type: string, status: Condition["status"]): Condition => {
    const before = previous?.find((condition) => condition.type === type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now,
      reason: state.reason,
      message: shorten(state.message),
    };
  };
  const ready = make("Ready", state.ready);
  return state.because === undefined ? [ready] : [ready, make(state.because, "True")];
}

/** At most as long as a message may be; what is cut off is replaced by an ellipsis. */
export function shorten(message: string): string {
  if (message.length <= MESSAGE_MAX_LENGTH) return message;
  return `${message.slice(0, MESSAGE_MAX_LENGTH - 1).toWellFormed()}…`;
}
