// What several operations of the document refer to. A repository's routes stand in it twice, so all that is long is shared.
import { ANSWER_HEADERS } from "./headers.ts";
import { type Json, JsonSchemas } from "./json-schema.ts";

type Kind = "responses" | "requestBodies";

export class Components {
  readonly schemas = new JsonSchemas();
  readonly #shared: Readonly<Record<Kind, Map<string, Json>>> = { responses: new Map(), requestBodies: new Map() };

  /** A reference to the component, which is made the first time. */
  share(kind: Kind, name: string, make: () => Json): Json {
    if (!this.#shared[kind].has(name)) this.#shared[kind].set(name, make());
    return { $ref: `#/components/${kind}/${name}` };
  }

  toJson(): Json {
    const { responses, requestBodies } = this.#shared;
    return {
      headers: ANSWER_HEADERS,
      requestBodies: Object.fromEntries(requestBodies),
      responses: Object.fromEntries(responses),
      schemas: this.schemas.components,
    };
  }
}
