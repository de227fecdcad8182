// What every kind of resource consists of. `parse-resource.ts`, the CRDs and the reference pages are made from this.
import { z } from "zod";
import type { ResourceRule, TransitionRule } from "./rules.ts";

export const GROUP = "coregit.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;

/** Its value, when it changes, asks for a run now. */
export const REQUESTED_AT = `${GROUP}/requestedAt`;
/** An annotation may be longer than what a status shows of it; what is beyond asks for nothing. */
export const REQUESTED_AT_MAX_LENGTH = 256;

export const metadataSchema = z.looseObject({
  name: z.string().min(1).max(253),
  namespace: z.string().max(63).optional(),
  uid: z.string().optional(),
  generation: z.number().optional(),
  resourceVersion: z.string().optional(),
  creationTimestamp: z.string().nullish(),
  deletionTimestamp: z.string().nullish(),
  finalizers: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).nullish(),
  annotations: z.record(z.string(), z.string()).nullish(),
});

export type Metadata = z.output<typeof metadataSchema>;

/** A resource as read: defaults applied; a status that does not fit its schema is left out. */
export type Resource<Kind extends string, Spec, Status> = {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: Kind;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: Status | undefined;
};

/** A column of `kubectl get`; priority 1 shows with `-o wide` only. */
export type Column = {
  readonly name: string;
  readonly type: "string" | "date" | "integer";
  readonly jsonPath: string;
  readonly priority?: 1;
  readonly description: string;
};

export type KindDefinition<R extends Resource<string, unknown, unknown>> = {
  readonly kind: R["kind"];
  readonly plural: string;
  readonly singular: string;
  readonly shortName: string;
  /** One paragraph: what the kind is for. */
  readonly description: string;
  readonly spec: z.ZodType<R["spec"]>;
  readonly status: z.ZodType<NonNullable<R["status"]>>;
  readonly rules: readonly ResourceRule<R>[];
  readonly transitions: readonly TransitionRule<R>[];
  readonly columns: readonly Column[];
};

const ready = (field: "status" | "reason" | "message") => `.status.conditions[?(@.type=="Ready")].${field}`;

export const READY_COLUMNS: readonly Column[] = [
  { name: "Ready", type: "string", jsonPath: ready("status"), description: "Whether the object does what it declares." },
  { name: "Status", type: "string", jsonPath: ready("reason"), description: "Why it is ready or not, in one word." },
];
export const AGE_COLUMN: Column = {
  name: "Age",
  type: "date",
  jsonPath: ".metadata.creationTimestamp",
  description: "Time since the object was created.",
};
export const MESSAGE_COLUMN: Column = {
  name: "Message",
  type: "string",
  jsonPath: ready("message"),
  priority: 1,
  description: "Why it is ready or not, in one sentence.",
};
