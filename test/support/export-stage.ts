// What a suite of exports to a provider's double begins with: the double, a world and an engine, made before its first test and ended
// after its last; what was asked of the double is forgotten before each.
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { Engine } from "../../src/sync/engine.ts";
import type { Fault, Faults } from "./providers/faults.ts";
import { type GitHubDouble, startGitHub } from "./providers/github/start.ts";
import { type GitLabDouble, startGitLab } from "./providers/gitlab/start.ts";
import { type ServedGitHub, type ServedGitHubOptions, serveGitHub } from "./served-github.ts";
import { type ServedGitLab, type ServedGitLabOptions, serveGitLab } from "./served-gitlab.ts";
import { type ExportPlace, README, type ServedRemote } from "./served-remote.ts";
import { openSyncWorld, type SyncWorld } from "./sync-world.ts";

interface Double extends AsyncDisposable {
  readonly faults: Faults;
  clear(): void;
}

export type ExportStage<D extends Double, Served extends ServedRemote, Options> = {
  readonly double: D;
  readonly world: SyncWorld;
  readonly engine: Engine;
  serve(options?: Options): Promise<Served>;
  /** One that has been exported once by the API, so that each further change takes the same requests. */
  exported(): Promise<Served>;
  /** The fault meets the `index`th request from now on that matches. */
  orderAt(index: number, fault: Fault, matching?: RegExp): void;
};

/** Registers the hooks. What it hands out is there within tests and later hooks. */
export const stageGitHub = (): ExportStage<GitHubDouble, ServedGitHub, ServedGitHubOptions> => stage(startGitHub, serveGitHub);
export const stageGitLab = (): ExportStage<GitLabDouble, ServedGitLab, ServedGitLabOptions> => stage(startGitLab, serveGitLab);

const NOTHING: Fault = { kind: "before", run: async () => undefined };

function stage<D extends Double, Served extends ServedRemote, Options>(
  start: () => Promise<D>,
  serveOn: (place: ExportPlace, double: D, options?: Options) => Promise<Served>,
): ExportStage<D, Served, Options> {
  let double: D;
  let world: SyncWorld;
  let engine: Engine;
  beforeAll(async () => {
    double = await start();
    world = await openSyncWorld();
    engine = await world.startEngine();
  });
  beforeEach(() => double.clear());
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await double[Symbol.asyncDispose]();
  });
  const serve = (options?: Options) => serveOn({ world, engine }, double, options);
  return {
    get double() {
      return double;
    },
    get world() {
      return world;
    },
    get engine() {
      return engine;
    },
    serve,
    async exported() {
      const here = await serve();
      await here.editHere({ ...README, text: "0\n" });
      expect((await here.declare({ transport: "api" })).lastError).toBeNull();
      double.clear();
      return here;
    },
    orderAt(index, fault, matching = /./) {
      if (index > 0) double.faults.order(matching, NOTHING, index);
      double.faults.order(matching, fault);
    },
  };
}
