// Routes by method and template. A placeholder matches one path segment still encoded, so `group%2Fproject` is one; a
// placeholder that is named in `greedy` also takes slashes, as the providers do for refs and branches.

export type RouteMatch<Route> = { readonly route: Route; readonly parameters: Readonly<Record<string, string>> };

type Template = { readonly method: string; readonly template: string; readonly greedy?: string };

type Compiled<Route> = { readonly route: Route; readonly pattern: RegExp; readonly names: readonly string[] };

function compile<Route extends Template>(route: Route): Compiled<Route> {
  const names: string[] = [];
  const source = route.template.replace(/\{(\w+)\}|[.]/g, (text, name: string | undefined) => {
    if (name === undefined) return `\\${text}`;
    names.push(name);
    return name === route.greedy ? "(.+)" : "([^/]+)";
  });
  return { route, pattern: new RegExp(`^${source}$`), names };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export class Router<Route extends Template> {
  readonly #routes: readonly Compiled<Route>[];

  /** The first of the routes that matches wins. */
  constructor(routes: readonly Route[]) {
    this.#routes = routes.map(compile);
  }

  /** `path` as it arrived, without query. Null: no such path, or not with this method. */
  find(method: string, path: string): RouteMatch<Route> | null {
    for (const { route, pattern, names } of this.#routes) {
      const values = route.method === method ? pattern.exec(path) : null;
      if (values === null) continue;
      const parameters = Object.fromEntries(names.map((name, index) => [name, decode(values[index + 1] ?? "")]));
      return { route, parameters };
    }
    return null;
  }
}
