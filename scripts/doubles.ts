// `npm run doubles`: GitHub and GitLab on this machine, to try imports, exports and webhooks without either. Prints addresses, tokens,
// sample repositories and what to try; serves until Ctrl-C.
import { once } from "node:events";
import { startGitHub } from "../test/support/providers/github/start.ts";
import { startGitLab } from "../test/support/providers/gitlab/start.ts";

const FILES = {
  "README.md": "# A sample\n\nServed by a double.\n",
  "src/index.js": 'console.log("hello");\n',
  "bin/run": { mode: "100755", content: "#!/bin/sh\nexec node src/index.js\n" },
  latest: { mode: "120000", content: "README.md" },
} as const;

await using stack = new AsyncDisposableStack();
const github = stack.use(await startGitHub({ port: 4010 }));
const gitlab = stack.use(await startGitLab({ port: 4020 }));

const sample = await github.addRepository("octocat/sample", { isPrivate: true, files: FILES });
const emptyRepository = await github.addRepository("octocat/empty", { isPrivate: true });
const githubToken = github.addToken({ user: "octocat" });

const project = await gitlab.addProject("demo/group/sample", { isPrivate: true, files: FILES });
const emptyProject = await gitlab.addProject("demo/group/empty", { isPrivate: true });
const gitlabToken = gitlab.addToken({ user: "demo" });

console.log(`
GitHub   ${github.url}
  token        ${githubToken}
  with files   ${sample.fullName}        ${github.gitUrl(sample)}
  empty        ${emptyRepository.fullName}         ${github.gitUrl(emptyRepository)}
  connection   {"provider":"github","label":"double","base_url":"${github.url}","access_token":"${githubToken}"}

GitLab   ${gitlab.url}   (${gitlab.world.version})
  token        ${gitlabToken}
  with files   ${project.fullPath}   ${gitlab.gitUrl(project)}
  empty        ${emptyProject.fullPath}    ${gitlab.gitUrl(emptyProject)}
  connection   {"provider":"gitlab","label":"double","base_url":"${gitlab.url}","access_token":"${gitlabToken}"}

Coregit must be allowed to reach loopback: COREGIT_ALLOWED_HOSTS=127.0.0.1/32

Try
  curl -H 'authorization: Bearer ${githubToken}' ${github.url}/repos/${sample.fullName}
  curl -H 'authorization: Bearer ${gitlabToken}' ${gitlab.url}/api/v4/projects/${encodeURIComponent(project.fullPath)}
  git clone ${github.gitUrl(sample)}    (any user name, the token as password)
  git clone ${gitlab.gitUrl(project)}
Push to either and its webhooks are sent. Ctrl-C ends both and removes the repositories.
`);

await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
