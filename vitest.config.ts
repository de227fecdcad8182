// One project a kind of test. `unit` needs nothing; the others start real servers in their global setup. In all of them a test file
// that leaves something behind fails, and what is said is kept for the scan for secrets when `npm test` asks for it.
import { defineConfig, type TestUserConfig } from "vitest/config";

const shared: TestUserConfig = {
  pool: "forks",
  isolate: true,
  setupFiles: ["test/support/secrets/setup.ts", "test/support/leftovers.ts"],
  testTimeout: 30_000,
  hookTimeout: 60_000,
  dangerouslyIgnoreUnhandledErrors: false,
};

const project = (
  name: string,
  include: string[],
  options: { readonly globalSetup?: string[]; readonly testTimeout?: number } = {},
) => ({
  test: { ...shared, name, include, ...options },
});

const postgres = "test/support/postgres-setup.ts";
const controlPlane = "test/support/control-plane-setup.ts";
const image = "test/support/image-setup.ts";

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project("unit", ["src/**/*.test.ts", "test/{architecture,support}/**/*.test.ts"]),
      project("contract", ["test/contract/**/*.test.ts"], { globalSetup: [postgres] }),
      project("integration", ["test/integration/**/*.test.ts"], { globalSetup: [postgres], testTimeout: 60_000 }),
      project("kube", ["test/kube/**/*.test.ts"], { globalSetup: [postgres, controlPlane, image], testTimeout: 120_000 }),
      project("faults", ["test/faults/**/*.test.ts"], { globalSetup: [postgres], testTimeout: 900_000 }),
    ],
  },
});
