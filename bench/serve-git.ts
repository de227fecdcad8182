// A git server in a process of its own, so that its work is not counted as that of who reads from it. Arguments: the folder
// of repositories and, as JSON, more options of the server. Answers every message with the number of requests so far whose user
// agent has the message's text.
import { type GitHttpServerOptions, startGitHttpServer } from "../test/support/git-http-server.ts";

const [root = "", options = "{}"] = process.argv.slice(2);
const server = await startGitHttpServer({ ...(JSON.parse(options) as Partial<GitHttpServerOptions>), root });
process.on("message", (agent) => {
  const own = server.requests.filter(({ headers }) => headers["user-agent"]?.includes(String(agent)));
  process.send?.(own.length);
});
process.on("disconnect", () => process.exit());
process.send?.(server.url);
