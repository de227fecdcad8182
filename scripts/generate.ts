// Writes every file that follows from the schemas and the error catalogue. With --check it writes nothing, names the files
// that differ and exits 1.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { KINDS } from "../src/resources/kinds.ts";
import { chartCrdTemplate } from "./generate/chart-crd.ts";
import { chartReadme } from "./generate/chart-readme.ts";
import { chartSchema } from "./generate/chart-schema.ts";
import { crdFile } from "./generate/crd-file.ts";
import { errorsPage } from "./generate/errors-page.ts";
import { openApiFile } from "./generate/openapi-file.ts";
import { referencePage } from "./generate/reference-page.ts";
import { sdkErrorCodes } from "./generate/sdk-error-codes.ts";
import { settingsPage } from "./generate/settings-page.ts";

const root = join(import.meta.dirname, "..");

const chart = "charts/coregit";
const chartValues = await readFile(join(root, chart, "values.yaml"), "utf8");

const files = new Map<string, string>([
  ...Object.values(KINDS).map((kind) => [`crds/coregit.dev_${kind.plural}.yaml`, crdFile(kind)] as const),
  ...Object.values(KINDS).map((kind) => [`docs/reference/${kind.singular}.md`, referencePage(kind)] as const),
  ...Object.values(KINDS).map((kind) => [`${chart}/templates/crd-${kind.plural}.yaml`, chartCrdTemplate(kind)] as const),
  [`${chart}/values.schema.json`, chartSchema(chartValues)],
  [`${chart}/README.md`, chartReadme(chartValues)],
  ["docs/errors.md", errorsPage()],
  ["docs/reference/settings.md", settingsPage()],
  ["docs/openapi.json", await openApiFile()],
  ["src/sdk/server-error-codes.ts", sdkErrorCodes()],
]);

async function differs([path, content]: readonly [string, string]): Promise<boolean> {
  const present = await readFile(join(root, path), "utf8").catch(() => null);
  return present !== content;
}

async function write([path, content]: readonly [string, string]): Promise<void> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
}

const isCheck = process.argv.includes("--check");
const stale = [];
for (const entry of files) if (await differs(entry)) stale.push(entry);
for (const entry of stale) {
  console.log(isCheck ? `${entry[0]} is not what "npm run generate" writes` : `wrote ${entry[0]}`);
  if (!isCheck) await write(entry);
}
if (isCheck && stale.length > 0) process.exitCode = 1;
