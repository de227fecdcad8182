// What the document says of the program as such. package.json has it.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const product = z.object({ version: z.string(), description: z.string(), license: z.string() });

export type Product = z.output<typeof product>;

export async function readProduct(): Promise<Product> {
  return product.parse(JSON.parse(await readFile(join(import.meta.dirname, "../../../package.json"), "utf8")));
}
