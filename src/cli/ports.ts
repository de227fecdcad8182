// What the command line needs from the rest of the program. The composition root provides it.
import type { Config } from "../config/config.ts";
import type { Environment } from "../config/env.ts";

type RoleOptions = { readonly config: Config; readonly signal: AbortSignal };

/** Starts a role and resolves when it has ended, which is soon after `signal` aborts. */
export type RoleStarters = {
  /** `manifests`: absolute folder, null: none. */
  standalone(options: RoleOptions & { readonly manifests: string | null }): Promise<void>;
  /** `namespaces`: empty for the whole cluster. */
  operator(options: RoleOptions & { readonly namespaces: readonly string[] }): Promise<void>;
  api(options: RoleOptions): Promise<void>;
  /** Resolves with the names of the migrations that it applied. */
  migrate(options: RoleOptions): Promise<readonly string[]>;
};

/** What the chart's jobs do in the cluster of KUBECONFIG, or the pod's. */
export type ClusterChores = {
  /** Completes a Secret and resolves with the names of the keys that it has then. `namespace` null: the current one. */
  fillSecret(options: {
    readonly name: string;
    readonly namespace: string | null;
    readonly given: Readonly<Record<string, string>>;
    /** HOST:PORT of the chart's own database. */
    readonly postgresql: string | null;
    readonly signal: AbortSignal;
  }): Promise<readonly string[]>;
  /** Takes the finalizer from the resources of these namespaces, empty for all, or deletes them; resolves with their number. */
  releaseResources(options: {
    readonly namespaces: readonly string[];
    readonly deletes: boolean;
    readonly signal: AbortSignal;
  }): Promise<number>;
};

/** One thing that `doctor` looks at. */
export type DoctorCheck = {
  readonly name: string;
  /** Says what was found, or throws with a sentence on what is wrong and what to do. */
  run(signal: AbortSignal): Promise<string>;
  /** Default: 15 s. null: it may take any time. */
  readonly deadlineMs?: null;
};

export type Output = {
  /** Results, for people and programs. */
  print(text: string): void;
  /** Progress, warnings and errors. */
  say(text: string): void;
  /** Whether results go to a terminal. */
  readonly isTty: boolean;
};

export type CliPorts = {
  readonly roles: RoleStarters;
  readonly chores: ClusterChores;
  /** Checks of what a role with this configuration reaches: database, schema, blob store. */
  readonly checks: (config: Config) => Promise<readonly DoctorCheck[]>;
  /**
   * A check of everything stored in each repository, or in the one of this name (`slug` or `namespace/slug`).
   * Throws a CoregitError when the repositories cannot be listed or there is none of this name.
   */
  readonly deepChecks: (config: Config, repository: string | null, signal: AbortSignal) => AsyncIterable<DoctorCheck>;
  readonly output: Output;
  readonly environment: Environment;
  readonly workingDirectory: string;
  /** Folder of the CRD files. */
  readonly crdFolder: string;
  readonly version: string;
  /** Epoch milliseconds, for ages. */
  readonly now: () => number;
  /** Aborts when the program should end. */
  readonly signal: AbortSignal;
};
