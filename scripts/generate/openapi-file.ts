// The API's document as a file, for whoever generates a client from it.
import { openApiDocument } from "../../src/http/openapi/document.ts";
import { readProduct } from "../../src/http/openapi/product.ts";
import { type ApiPorts, apiRoutes } from "../../src/http/routes.ts";

export async function openApiFile(): Promise<string> {
  // Routes are data: nothing of the ports is touched before one answers.
  const routes = apiRoutes({} as ApiPorts);
  return `${JSON.stringify(openApiDocument(routes, await readProduct()), null, 2)}\n`;
}
