// The API's document and a page to browse it, for anybody: they say what there is to ask, not what is stored. The page is
// Swagger UI from files of this program alone; its policy lets a browser load nothing from another host and run no script
// that stands in the page. Nothing is read or made before somebody asks.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { FastifyInstance } from "fastify";
import { CoregitError } from "../../domain/errors.ts";
import { entityTag, isNotModified } from "../conditional.ts";
import { openApiDocument } from "../openapi/document.ts";
import { readProduct } from "../openapi/product.ts";
import { refuseOtherMethods } from "../register-routes.ts";
import type { Route } from "../route.ts";
import { sha256 } from "../sha256.ts";

const TAKEN = new Set(["GET", "HEAD"]);

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Addresses are relative to the page's own, so that they hold behind any prefix. */
const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Coregit API</title>
    <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
    <link rel="stylesheet" href="docs/swagger-ui.css">
    <script src="docs/swagger-ui-bundle.js" defer></script>
    <script src="docs/start.js" defer></script>
  </head>
  <body><div id="swagger-ui"></div></body>
</html>
`;

const START = `SwaggerUIBundle({ url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
`;

const SCRIPT = "text/javascript; charset=utf-8";
/** What is taken of Swagger UI. */
const FILES: Readonly<Record<string, string>> = {
  "swagger-ui-bundle.js": SCRIPT,
  "swagger-ui.css": "text/css; charset=utf-8",
  "favicon-32x32.png": "image/png",
};

export function registerDocumentRoutes(app: FastifyInstance, routes: readonly Route[]): void {
  let made: Promise<{ readonly text: string; readonly tag: string }> | undefined;
  app.get("/v1/openapi.json", async (request, reply) => {
    made ??= makeDocument(routes);
    const { text, tag } = await made;
    reply.headers({ etag: tag, "cache-control": "no-cache" });
    if (isNotModified(request.headers, tag)) return reply.code(304).send();
    return reply.type("application/json; charset=utf-8").send(text);
  });
  app.get("/v1/docs", (_request, reply) =>
    reply.header("content-security-policy", POLICY).type("text/html; charset=utf-8").send(PAGE),
  );
  app.get("/v1/docs/start.js", (_request, reply) => reply.type(SCRIPT).send(START));
  app.get<{ Params: { readonly file: string } }>("/v1/docs/:file", async ({ params: { file } }, reply) => {
    const type = Object.hasOwn(FILES, file) ? FILES[file] : undefined;
    if (type === undefined) throw new CoregitError("NotFound", "The page has no such file.");
    return reply.type(type).send(await readFile(join(swaggerFolder(), file)));
  });
  for (const url of ["/v1/openapi.json", "/v1/docs", "/v1/docs/start.js", "/v1/docs/:file"]) refuseOtherMethods(app, url, TAKEN);
}

async function makeDocument(routes: readonly Route[]): Promise<{ readonly text: string; readonly tag: string }> {
  const text = JSON.stringify(openApiDocument(routes, await readProduct()));
  return { text, tag: entityTag(sha256(text).toString("hex")) };
}

function swaggerFolder(): string {
  return join(dirname(createRequire(import.meta.url).resolve("@fastify/swagger-ui")), "static");
}
