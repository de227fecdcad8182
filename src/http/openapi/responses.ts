// What an operation answers, status by status: the documented answers of its route, then its refusals.
import { z } from "zod";
import type { DocumentedAnswer } from "../answers/answer-of.ts";
import type { Route } from "../route.ts";
import type { Components } from "./components.ts";
import { answerHeaders } from "./headers.ts";
import type { Json, JsonSchemas } from "./json-schema.ts";
import { problemHead, problemResponse } from "./problem-responses.ts";
import { problemsOf } from "./route-problems.ts";

const PHRASES: Readonly<Record<number, string>> = {
  200: "Done.",
  201: "Made.",
  202: "Accepted; it is done later.",
  206: "The part that was asked for.",
  304: "The client has it already.",
};

export function responsesOf(route: Route, components: Components): Json {
  const answers = statusesOf(route).map(([status, answer]) => {
    const make = () => ({ ...headOf(route, status), ...contentOf(answer, components.schemas) });
    return [status, components.share("responses", `${route.name}${status}`, make)] as const;
  });
  const problems = problemsOf(route).map(
    ([status, codes]) => [status, problemResponse(components, route.name, { status, codes })] as const,
  );
  return Object.fromEntries([...answers, ...problems]);
}

/** The same without content, as HEAD is answered. */
export function headResponsesOf(route: Route): Json {
  const answers = statusesOf(route).map(([status]) => [status, headOf(route, status)] as const);
  const problems = problemsOf(route).map(([status, codes]) => [status, problemHead({ status, codes })] as const);
  return Object.fromEntries([...answers, ...problems]);
}

function statusesOf({ answers }: Route): readonly (readonly [number, DocumentedAnswer])[] {
  return Object.entries(answers).map(([status, answer]) => [Number(status), answer] as const);
}

function headOf({ answers }: Route, status: number): Json {
  return { description: PHRASES[status] ?? "Done.", headers: answerHeaders(answers, status) };
}

function contentOf(answer: DocumentedAnswer, schemas: JsonSchemas): Json {
  const { json, bytes = [], stream } = answer instanceof z.ZodType ? { json: answer } : answer;
  const types = [...bytes, ...(stream === undefined ? [] : [stream])].map((type) => [mediaType(type), {}] as const);
  const all = [
    ...(json === undefined ? [] : [["application/json", { schema: schemas.convert(json, "output") }] as const]),
    ...types,
  ];
  return all.length === 0 ? {} : { content: Object.fromEntries(all) };
}

function mediaType(type: string): string {
  return type.split(";")[0] ?? type;
}
