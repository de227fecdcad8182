// Finds versitygw, an S3 server over a folder.
import { goProgram } from "./go-program.ts";

/** Path of the program. @throws Error naming what to install when there is no Go tool chain. */
export function s3ServerProgram(say: (line: string) => void): Promise<string> {
  return goProgram(
    {
      package: "github.com/versity/versitygw/cmd/versitygw@v1.8.0",
      name: "versitygw",
      cache: "s3-server",
      neededBy: "The tests of the S3 blob store need an S3 server",
      takes: "about two minutes",
    },
    say,
  );
}
