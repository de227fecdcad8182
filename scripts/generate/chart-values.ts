// What values.yaml of the chart says about itself. The comment above a key is its description; in it, a line `@schema {…}`
// adds to the schema that follows from the value, and a line `@section Title` begins a section of the reference. A value with
// a schema of its own is described as a whole; another mapping is described by its keys.
import { isMap, isScalar, type Pair, parse, parseDocument, type YAMLMap } from "yaml";

export type ValueSchema = Readonly<Record<string, unknown>>;

export type ChartValue = {
  readonly name: string;
  /** Set on the first value of a section. */
  readonly section: string | null;
  readonly description: string;
  /** What `@schema` says; null: what follows from the value. */
  readonly schema: ValueSchema | null;
  /** null: `children` are described instead. */
  readonly fallback: { readonly value: unknown } | null;
  readonly children: readonly ChartValue[];
};

export function readChartValues(text: string): readonly ChartValue[] {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem !== undefined) throw problem;
  if (!isMap(document.contents)) throw new Error("values.yaml is no mapping");
  return readMap(document.contents);
}

function readMap(map: YAMLMap): readonly ChartValue[] {
  return map.items.map((pair, index) => {
    const inherited = index === 0 ? (map.commentBefore ?? "") : "";
    return readPair(pair, inherited);
  });
}

function readPair({ key, value }: Pair, inherited: string): ChartValue {
  if (!isScalar(key)) throw new Error("a key of values.yaml is no plain text");
  const name = String(key.value);
  // The paragraph right above the key; what stands before it speaks of the file.
  const comment = [inherited, key.commentBefore ?? ""]
    .join("\n")
    .trim()
    .split(/\n\s*\n/);
  const lines = (comment.at(-1) ?? "").split("\n").map((line) => line.trim());
  const marked = (mark: string) => lines.find((line) => line.startsWith(mark))?.slice(mark.length);
  const schemaText = marked("@schema ");
  const schema = schemaText === undefined ? null : (parse(schemaText) as ValueSchema);
  const description = lines.filter((line) => line !== "" && !line.startsWith("@")).join(" ");
  const isDescribedByKeys = schema === null && isMap(value) && value.items.length > 0;
  return {
    name,
    section: marked("@section ") ?? null,
    description,
    schema,
    fallback: isDescribedByKeys ? null : { value: toPlain(value) },
    children: isDescribedByKeys ? readMap(value) : [],
  };
}

function toPlain(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "toJSON" in value && typeof value.toJSON === "function") {
    return value.toJSON();
  }
  return value;
}
