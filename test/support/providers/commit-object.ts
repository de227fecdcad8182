// Commit objects between bytes and the fields that both APIs show.
import type { BareRepository } from "./bare-repository.ts";

export type Person = { readonly name: string; readonly email: string /** ISO 8601 with an offset. */; readonly date: string };

export type CommitObject = {
  readonly oid: string;
  readonly tree: string;
  readonly parents: readonly string[];
  readonly author: Person;
  readonly committer: Person;
  readonly message: string;
};

export type NewCommit = Omit<CommitObject, "oid"> & { readonly signature?: string };

function personLine(kind: string, { name, email, date }: Person): string {
  const [, sign = "+", hours = "00", minutes = "00"] = /([+-])(\d\d):?(\d\d)$/.exec(date) ?? [];
  const clean = (text: string): string => text.replace(/[<>\n]/g, "").trim();
  return `${kind} ${clean(name)} <${clean(email)}> ${Math.floor(Date.parse(date) / 1000)} ${sign}${hours}${minutes}\n`;
}

function parsePerson(line: string): Person {
  const [, name = "", email = "", seconds = "0", zone = "+0000"] = /^(.*?) ?<(.*)> (\d+) ([+-]\d{4})$/.exec(line) ?? [];
  const offsetMs = (Number(zone.slice(0, 3)) * 60 + Number(`${zone[0]}${zone.slice(3)}`)) * 60_000;
  const local = new Date(Number(seconds) * 1000 + offsetMs).toISOString().slice(0, 19);
  return { name, email, date: offsetMs === 0 ? `${local}Z` : `${local}${zone.slice(0, 3)}:${zone.slice(3)}` };
}

export async function writeCommit(repository: BareRepository, commit: NewCommit): Promise<string> {
  const parents = commit.parents.map((parent) => `parent ${parent}\n`).join("");
  const signature = commit.signature === undefined ? "" : `gpgsig ${commit.signature.trimEnd().replaceAll("\n", "\n ")}\n`;
  const people = `${personLine("author", commit.author)}${personLine("committer", commit.committer)}`;
  const text = `tree ${commit.tree}\n${parents}${people}${signature}\n${commit.message}`;
  return repository.write("commit", Buffer.from(text));
}

/** Null: no such commit. */
export async function readCommit(repository: BareRepository, oid: string): Promise<CommitObject | null> {
  const object = await repository.read(oid);
  if (object?.type !== "commit") return null;
  const text = object.content.toString("utf8");
  const end = text.indexOf("\n\n");
  const lines = text.slice(0, end).split("\n");
  const values = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  return {
    oid,
    tree: values("tree")[0] ?? "",
    parents: values("parent"),
    author: parsePerson(values("author")[0] ?? ""),
    committer: parsePerson(values("committer")[0] ?? ""),
    message: text.slice(end + 2),
  };
}
