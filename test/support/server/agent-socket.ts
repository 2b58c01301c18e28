import { mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** Path of a socket that stands for an SSH agent's until the test ends. */
export async function agentSocket(): Promise<string> {
  const path = join(mkdtempSync(join(tmpdir(), "regwarden-agent-")), "socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => void server.close());
  return path;
}
