import { globSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * Directory of a file backend, or undefined for any other kind.
 *
 * Source: pulumi pkg/backend/diy/backend.go (massageBlobPath): `~` is the home directory, the query is the bucket's.
 */
export function fileBackendDirectory(url: string, workDirectory: string): string | undefined {
  if (!url.startsWith("file://")) return undefined;
  const path = url.slice("file://".length).replace(/\?.*$/s, "");
  return resolve(
    workDirectory,
    path === "~" || path.startsWith("~/") ? join(homedir(), path.slice(1)) : path,
  );
}

/** Whether the engine says that it could not read a stack's state to its end. */
export function isTornState(message: string): boolean {
  return /failed to load checkpoint: (?:unexpected )?(?:EOF|end of JSON input)/.test(message);
}

/**
 * Removes the notes on content types (`STACK.json.attrs`) that are no JSON. A file backend replaces a state in one
 * step, but writes the note beside it in place: an update that is killed at that moment leaves it empty, and then no
 * command can read the state, which is complete. Without the note it is read as it is. Returns the paths.
 *
 * Source: gocloud.dev blob/fileblob/attrs.go.
 */
export function removeTornNotes(backendDirectory: string): readonly string[] {
  const notes = globSync(".pulumi/stacks/**/*.json.attrs", { cwd: backendDirectory });
  const torn = notes.map((note) => join(backendDirectory, note)).filter((path) => !isJson(path));
  for (const path of torn) rmSync(path);
  return torn;
}

function isJson(path: string): boolean {
  try {
    JSON.parse(readFileSync(path, "utf8"));
    return true;
  } catch (error) {
    // Only what was read and is no JSON may go.
    return !(error instanceof SyntaxError);
  }
}
