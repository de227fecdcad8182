// A git server in a process of its own, so that its work is not counted as that of who reads from it. Answers every
// message with the number of requests so far whose user agent has the message's text.
import { startGitHttpServer } from "../test/support/git-http-server.ts";

const server = await startGitHttpServer({ root: process.argv[2] ?? "" });
process.on("message", (agent) => {
  const own = server.requests.filter(({ headers }) => headers["user-agent"]?.includes(String(agent)));
  process.send?.(own.length);
});
process.on("disconnect", () => process.exit());
process.send?.(server.url);
