// CustomResourceDefinitions of others, of whose kinds the chart makes objects: files of their Go modules, which `go mod download` fetches.
import { join } from "node:path";
import { runGo } from "./go-build.ts";

const MODULES = [
  {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    folder: "example/prometheus-operator-crd",
    files: ["monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"],
  },
  {
    module: "sigs.k8s.io/gateway-api@v1.4.0",
    folder: "config/crd/standard",
    files: ["gateway.networking.k8s.io_httproutes.yaml"],
  },
];

/** Paths of the files. */
export async function foreignCrdFiles(): Promise<readonly string[]> {
  const found = await Promise.all(
    MODULES.map(async ({ module, folder, files }) => {
      const { Dir } = JSON.parse(await runGo(["mod", "download", "-json", module])) as { readonly Dir: string };
      return files.map((file) => join(Dir, folder, file));
    }),
  );
  return found.flat();
}
