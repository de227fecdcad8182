// Reads a GraphQL document: one operation with its selections, arguments and variables. Fragments and directives, which no
// client of the double sends, are refused.

export type GraphValue = null | boolean | number | string | readonly GraphValue[] | { readonly [name: string]: GraphValue };

export type Selection = {
  readonly name: string;
  /** Under which the answer has it. */
  readonly alias: string;
  /** With variables put in. */
  readonly args: Readonly<Record<string, GraphValue>>;
  readonly selections: readonly Selection[];
};

export type Operation = { readonly kind: "query" | "mutation"; readonly selections: readonly Selection[] };

export class GraphSyntaxError extends Error {}

const TOKEN = /\s*(?:#[^\n]*\n\s*)*,*\s*("""[\s\S]*?"""|"(?:\\.|[^"\\])*"|-?\d+(?:\.\d+)?|[_A-Za-z]\w*|\.\.\.|[!$(){}:[\]=|&@])/y;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  while (text.slice(pattern.lastIndex).replace(/[\s,]|#[^\n]*(?:\n|$)/g, "") !== "") {
    const token = pattern.exec(text)?.[1];
    if (token === undefined) throw new GraphSyntaxError("Unexpected character");
    tokens.push(token);
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  readonly #variables: Readonly<Record<string, GraphValue>>;
  readonly #defaults = new Map<string, GraphValue>();
  #at = 0;

  constructor(tokens: readonly string[], variables: Readonly<Record<string, GraphValue>>) {
    this.#tokens = tokens;
    this.#variables = variables;
  }

  operation(): Operation {
    const kind = this.#peek() === "mutation" ? "mutation" : "query";
    if (this.#peek() !== "{") {
      this.#next();
      if (this.#peek() !== "(" && this.#peek() !== "{") this.#next();
      if (this.#peek() === "(") this.#definitions();
    }
    const selections = this.#selectionSet();
    if (this.#peek() !== "") throw new GraphSyntaxError(`Expected end, got ${this.#peek()}`);
    return { kind, selections };
  }

  #peek(): string {
    return this.#tokens[this.#at] ?? "";
  }

  #next(): string {
    const token = this.#peek();
    this.#at += 1;
    return token;
  }

  #expect(token: string): void {
    const found = this.#next();
    if (found !== token) throw new GraphSyntaxError(`Expected ${token}, actual: ${found === "" ? "end" : found}`);
  }

  #definitions(): void {
    this.#expect("(");
    while (this.#peek() !== ")") {
      this.#expect("$");
      const name = this.#next();
      this.#expect(":");
      while (/^(?:[[\]!]|[_A-Za-z]\w*)$/.test(this.#peek())) this.#next();
      if (this.#peek() !== "=") continue;
      this.#next();
      this.#defaults.set(name, this.#value());
    }
    this.#next();
  }

  #selectionSet(): Selection[] {
    const selections: Selection[] = [];
    this.#expect("{");
    while (this.#peek() !== "}") selections.push(this.#selection());
    this.#next();
    return selections;
  }

  #selection(): Selection {
    let name = this.#name();
    const alias = name;
    if (this.#peek() === ":") {
      this.#next();
      name = this.#name();
    }
    const args = this.#peek() === "(" ? this.#pairs("(", ")") : {};
    const selections = this.#peek() === "{" ? this.#selectionSet() : [];
    return { name, alias, args, selections };
  }

  #name(): string {
    const name = this.#next();
    if (!/^[_A-Za-z]\w*$/.test(name)) throw new GraphSyntaxError(`Expected a name, actual: ${name === "" ? "end" : name}`);
    return name;
  }

  #pairs(open: string, close: string): Record<string, GraphValue> {
    const pairs: Record<string, GraphValue> = {};
    this.#expect(open);
    while (this.#peek() !== close) {
      const name = this.#name();
      this.#expect(":");
      pairs[name] = this.#value();
    }
    this.#next();
    return pairs;
  }

  #value(): GraphValue {
    const token = this.#peek();
    if (token === "{") return this.#pairs("{", "}");
    this.#next();
    if (token === "$") return this.#variable(this.#name());
    if (token === "[") return this.#list();
    if (token.startsWith('"')) return readString(token);
    if (/^-?\d/.test(token)) return Number(token);
    return readWord(token);
  }

  #list(): GraphValue[] {
    const items: GraphValue[] = [];
    while (this.#peek() !== "]") items.push(this.#value());
    this.#next();
    return items;
  }

  #variable(name: string): GraphValue {
    return this.#variables[name] ?? this.#defaults.get(name) ?? null;
  }
}

function readString(token: string): string {
  return token.startsWith('"""') ? token.slice(3, -3) : (JSON.parse(token) as string);
}

function readWord(token: string): GraphValue {
  if (token === "null") return null;
  if (token === "true" || token === "false") return token === "true";
  if (!/^[_A-Za-z]\w*$/.test(token)) throw new GraphSyntaxError(`Unexpected ${token === "" ? "end" : token}`);
  return token;
}

/** @throws GraphSyntaxError */
export function parseDocument(text: string, variables: Readonly<Record<string, GraphValue>>): Operation {
  return new Reader(tokenize(text), variables).operation();
}
