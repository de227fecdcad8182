// Which installed packages the image needs: everything that the dependencies reach by the lock file, found as Node finds it,
// except below the packages that no role of an image uses.

export type LockedPackage = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};

/** `packages` of package-lock.json: by folder, the project itself under the empty name. */
export type LockedPackages = Readonly<Record<string, LockedPackage>>;

/** The folders, such as `node_modules/pg`, sorted. What is optional and not for this platform is among them. */
export function runtimePackages(packages: LockedPackages, leftOut: readonly string[]): string[] {
  const reached = new Set<string>();
  const waiting = Object.keys(packages[""]?.dependencies ?? {})
    .filter((name) => !leftOut.includes(name))
    .map((name) => `node_modules/${name}`);
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    if (reached.has(folder)) continue;
    reached.add(folder);
    for (const name of namesIn(packages[folder])) {
      const found = resolve(packages, folder, name);
      if (found !== null) waiting.push(found);
    }
  }
  return [...reached].sort();
}

function namesIn(locked: LockedPackage | undefined): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = locked ?? {};
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
}

/** The nearest package of the name, from the folder upwards; null when none is installed, as a peer may not be. */
function resolve(packages: LockedPackages, from: string, name: string): string | null {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf("node_modules/") - 1))) {
    const candidate = place === "" ? `node_modules/${name}` : `${place}/node_modules/${name}`;
    if (Object.hasOwn(packages, candidate)) return candidate;
    if (place === "") return null;
  }
}
