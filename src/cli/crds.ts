import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { CliPorts } from "./ports.ts";
import { examplesHelp } from "./server-options.ts";

/** Prints the CustomResourceDefinitions as one YAML stream. */
export function addCrds(program: Command, { output, crdFolder }: CliPorts): void {
  program
    .command("crds")
    .description("print the CustomResourceDefinitions")
    .addHelpText("after", examplesHelp("coregit crds | kubectl apply -f -"))
    .action(async () => {
      const names = (await readdir(crdFolder)).filter((name) => name.endsWith(".yaml")).sort();
      const files = await Promise.all(names.map((name) => readFile(join(crdFolder, name), "utf8")));
      output.print(files.join("---\n"));
    });
}
