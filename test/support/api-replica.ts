// A place where one API replica after the other runs, each killed without warning. They have one folder, and an address each:
// between two lives a port may become somebody else's.
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Life } from "./acknowledged-operations.ts";
import { type ApiReplicaSettings, startApiReplica } from "./api-program.ts";
import { freePorts } from "./free-ports.ts";
import type { RunningProgram } from "./running-program.ts";

export class ApiReplica implements AsyncDisposable {
  readonly #settings: Omit<ApiReplicaSettings, "port">;
  #port = 0;
  #running: RunningProgram | null = null;

  constructor(settings: Omit<ApiReplicaSettings, "port">) {
    this.#settings = settings;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The process that runs now. */
  get life(): Life {
    const running = this.#running;
    const hasEnded = () => running === null || running !== this.#running;
    return { url: this.url, hasEnded };
  }

  get cacheDir(): string {
    return join(this.#settings.dataDir, "cache");
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    await mkdir(this.#settings.dataDir, { recursive: true });
    [this.#port] = await freePorts(1);
    this.#running = await startApiReplica({ ...this.#settings, port: this.#port });
  }

  /** kill -9. Resolves when the process is gone. */
  async kill(): Promise<void> {
    const running = this.#running;
    if (running === null) throw new Error("The replica does not run.");
    this.#running = null;
    running.child.kill("SIGKILL");
    await running[Symbol.asyncDispose]();
  }

  /** The folders of unfinished work, each of one process, with the pieces in it. */
  async unfinished(): Promise<Map<string, readonly string[]>> {
    const folder = join(this.cacheDir, "quarantine");
    const processes = await readdir(folder);
    const read = async (name: string) => [name, await readdir(join(folder, name)).catch(() => [])] as const;
    return new Map(await Promise.all(processes.map(read)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = this.#running;
    this.#running = null;
    await running?.[Symbol.asyncDispose]();
  }
}
