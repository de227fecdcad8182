// Clones and pushes by native git, from and to us and `git http-backend` in turn.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SourceRepository } from "../test/support/source-repository.ts";
import { cloneFrom, type GitHost, type GitHosts, openGitHosts, pushTo } from "./git-hosts.ts";
import { createLargeRepository, largePath } from "./large-repository.ts";
import { type BenchRow, formatMs, median, type Pair, paired, timed } from "./measure.ts";

const LIMIT = 1.15;
const MEDIUM_ROUNDS = 9;
const SMALL_ROUNDS = 25;
/** The first of each are not counted: they fill caches of the disk, of the hosts and of their compilers. */
const WARM_UP_ROUNDS = 2;

type Sized = { readonly name: string; readonly what: string; readonly source: SourceRepository; readonly rounds: number };

async function openSources(stack: AsyncDisposableStack): Promise<readonly [Sized, Sized]> {
  const medium = stack.use(await createLargeRepository(20_000, 2_000));
  const small = stack.use(await createLargeRepository(20, 5));
  return [
    { name: "medium", what: "20,000 files, 2,000 commits", source: medium, rounds: MEDIUM_ROUNDS },
    { name: "small", what: "20 files, 5 commits", source: small, rounds: SMALL_ROUNDS },
  ];
}

/** Peer and ours in turn; each call gets a number of its own. */
async function compared(rounds: number, work: (host: GitHost, round: number) => Promise<number>, hosts: GitHosts): Promise<Pair> {
  let round = 0;
  const each = (host: GitHost) => () => {
    round += 1;
    return work(host, round);
  };
  await paired(WARM_UP_ROUNDS, each(hosts.ours), each(hosts.peer));
  return await paired(rounds, each(hosts.ours), each(hosts.peer));
}

function rowOf(bench: string, what: string, { ours, peer, ratio }: Pair): BenchRow {
  return {
    bench,
    what,
    result: `${formatMs(median(ours))} against ${formatMs(median(peer))}: ${ratio.toFixed(2)} ×`,
    limit: `≤ ${LIMIT} ×`,
    isWithin: ratio <= LIMIT,
    figures: { oursMs: median(ours), peerMs: median(peer), ratio },
  };
}

export async function benchCloneHttp(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const sources = await openSources(stack);
  const hosts = stack.use(await openGitHosts());
  const rows: BenchRow[] = [];
  for (const { name, what, source, rounds } of sources) {
    for (const host of [hosts.ours, hosts.peer]) {
      await host.create(name);
      await pushTo(host.urlOf(name), source.path);
    }
    const clone = async (host: GitHost, round: number): Promise<number> => {
      const folder = join(hosts.scratch, `clone-${name}-${round}`);
      const ms = await timed(() => cloneFrom(host.urlOf(name), folder));
      await rm(folder, { recursive: true });
      return ms;
    };
    rows.push(rowOf("clone-http", `${what}: git clone --bare`, await compared(rounds, clone, hosts)));
  }
  return rows;
}

export async function benchPushHttp(): Promise<readonly BenchRow[]> {
  await using stack = new AsyncDisposableStack();
  const sources = await openSources(stack);
  const hosts = stack.use(await openGitHosts());
  const rows: BenchRow[] = [];
  for (const sized of sources) {
    const whole = await compared(sized.rounds, (host, round) => pushWhole(sized, host, round), hosts);
    rows.push(rowOf("push-http", `${sized.what}: all of it`, whole));
    rows.push(rowOf("push-http", `${sized.what}: one commit more`, await pushNext(sized, hosts)));
  }
  return rows;
}

async function pushWhole({ name, source }: Sized, host: GitHost, round: number): Promise<number> {
  const slug = `${name}-${round}`;
  await host.create(slug);
  return await timed(() => pushTo(host.urlOf(slug), source.path));
}

async function pushNext({ name, source }: Sized, hosts: GitHosts): Promise<Pair> {
  const slug = `${name}-next`;
  for (const host of [hosts.ours, hosts.peer]) {
    await host.create(slug);
    await pushTo(host.urlOf(slug), source.path);
  }
  // The peer is first in each round: what it is given, ours is given after it.
  const push = async (host: GitHost, round: number): Promise<number> => {
    if (host === hosts.peer) await source.commit({ [largePath(round % 20)]: `changed in round ${round}\n` });
    return await timed(() => pushTo(host.urlOf(slug), source.path));
  };
  return await compared(SMALL_ROUNDS, push, hosts);
}
