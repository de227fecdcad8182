// An API server that breaks watches in every way known, and an operator as a process of its own. `npm run bench -- api-faults` does the
// same a thousand times over.
import { expect, test } from "vitest";
import { REFLECTOR_TIMING } from "../../src/kube/reflector.ts";
import { runFaultCampaign } from "../support/api-fault-campaign.ts";
import { connectCluster } from "../support/cluster.ts";
import { createTestDatabase } from "../support/database.ts";
import { API_FAULTS } from "../support/fault-proxy.ts";

const FAULTS = 1;
/** In the operator's time, of which a second is a fortieth of a real one: a busy machine alone takes tens of its seconds. */
const RECOVERED_WITHIN_MS = REFLECTOR_TIMING.silenceMs + 120_000;

test("a broken watch of any kind is mended in time, by two lists at most, and takes neither process nor connections along", async () => {
  await using cluster = await connectCluster();
  await using rows = await createTestDatabase();
  const namespaces = [await cluster.createNamespace(), await cluster.createNamespace()];
  const result = await runFaultCampaign({
    api: cluster.api,
    config: cluster.newConfig(),
    databaseUrl: rows.url,
    namespaces,
    faults: FAULTS,
    speed: 40,
  });
  const count = (fault: string) => result.outcomes.filter((outcome) => outcome.fault === fault).length;
  expect(API_FAULTS.map(count)).toEqual(API_FAULTS.map(() => FAULTS));
  expect(result.outcomes.filter(({ lists }) => lists > 2)).toEqual([]);
  expect(result.outcomes.filter(({ recoveryMs }) => recoveryMs > RECOVERED_WITHIN_MS)).toEqual([]);
  expect(result.sockets.most).toBeLessThan(result.sockets.before + 40);
});
