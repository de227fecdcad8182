// The example manifests are accepted by an API server as they are.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, connectCluster } from "../support/cluster.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/cluster");

let cluster: Cluster;

beforeAll(async () => {
  cluster = await connectCluster();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

test("kubectl applies the cluster examples", async () => {
  const namespace = await cluster.createNamespace();
  const output = await cluster.kubectl("apply", "--namespace", namespace, "--filename", EXAMPLES, "--validate=strict");
  const applied = output.trim().split("\n").sort();
  expect(applied).toEqual([
    "connection.coregit.dev/git-example-com created",
    "repository.coregit.dev/hello-world created",
    "reposync.coregit.dev/docs created",
    "reposync.coregit.dev/hello-world created",
    "secret/git-example-com created",
  ]);
});
