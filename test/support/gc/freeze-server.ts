import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type FreezeLease, freezePaths } from "../../../contract/write-freeze.ts";

/** Answers as nginx does with its handler for writes: it reads the flag, holds what probes it, and says so. */
export async function startFreezeServer(directory: string) {
  const flagFile = join(directory, "flag");
  const held = new Set<ServerResponse>();
  let isDown = false;
  const until = async () => {
    const text = await readFile(flagFile, "utf8").catch(() => "{}");
    const lease = JSON.parse(text || "{}") as Partial<FreezeLease>;
    return lease.until !== undefined && lease.until > Date.now() ? lease.until : null;
  };
  const server = createServer((request, response) => {
    if (isDown) return void response.writeHead(502).end();
    if (request.url === freezePaths.probe) {
      held.add(response);
      response.on("close", () => held.delete(response));
      return;
    }
    void until().then((lease) => {
      const status = {
        frozen: lease !== null,
        until: lease,
        held: 0,
        probes: held.size,
        manifestPuts: 0,
        commits: 0,
      };
      response.end(JSON.stringify(status));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const response of held) response.destroy();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  return {
    flagFile,
    argv: ["--freeze", flagFile, "--freeze-status", `http://127.0.0.1:${port}${freezePaths.status}`],
    /** Whether writes would be held at a moment to come. */
    isFrozenIn: async (milliseconds: number) => ((await until()) ?? 0) > Date.now() + milliseconds,
    goDown: () => {
      isDown = true;
    },
    comeBack: () => {
      isDown = false;
    },
  };
}
