// The API's document, OpenAPI 3.1, from the routes and nothing else: what is documented is what validates.
import { type Route, TAGS } from "../route.ts";
import { Components } from "./components.ts";
import type { Json } from "./json-schema.ts";
import { type Operation, operationsOf } from "./operation.ts";
import type { Product } from "./product.ts";

const DESCRIPTION = `Stores git repositories and keeps them in step with other git servers.

* Every request carries a key in the header \`x-api-key\`: the master key, or a token.
* A repository of the namespace \`default\` is addressed as \`/v1/repos/{slug}\`, any as \`/v1/repos/{namespace}/{slug}\`; what follows is the same.
* Fields and parameters that are not documented are refused. Answers may get more fields in a later version.
* A refusal is JSON with \`error\`, a sentence for a person, and \`code\`, one word for a program. A method that an address does not
  take is answered 405 with \`Allow\`.
* Lists go on with \`cursor\`, which is the \`next_cursor\` of the page before.
* git itself uses \`/{slug}.git\` and \`/{namespace}/{slug}.git\`, with the key as the password of HTTP Basic and any user name.`;

export function openApiDocument(routes: readonly Route[], product: Product): Json {
  const components = new Components();
  const paths = pathsOf(routes.flatMap((route) => operationsOf(route, components)));
  return {
    openapi: "3.1.1",
    info: {
      title: "Coregit",
      summary: product.description,
      description: DESCRIPTION,
      version: product.version,
      license: { name: product.license, identifier: product.license },
    },
    servers: [{ url: "/", description: "The server that this document comes from." }],
    security: [{ apiKey: [] }],
    tags: TAGS.map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "The master key, or a token." },
        gitPassword: { type: "http", scheme: "basic", description: "For git only: the key as the password, with any user name." },
      },
      ...components.toJson(),
    },
  };
}

function pathsOf(operations: readonly Operation[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const { path, method, description } of operations) paths[path] = { ...paths[path], [method]: description };
  return paths;
}
