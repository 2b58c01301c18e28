import { createInterface } from "node:readline";
import { createAuthorization } from "../scripts/http/authorization.ts";
import { createRetryingSend } from "../scripts/http/retry.ts";
import type { Digest } from "../scripts/registry/digest.ts";
import { collect, forEachBounded, stream } from "../scripts/source/bounded.ts";
import { blobQuestion, createBlobReader } from "../scripts/source/http/blob.ts";
import { createRequests } from "../scripts/source/http/requests.ts";

/**
 * A program of its own, so that its processor time is the client's alone: asks ORIGIN for the blobs on standard input
 * (`REPOSITORY DIGEST` a line), by `head` or by one `byte`, with so many requests in flight. Prints requests a second and
 * processor milliseconds a request.
 */
const [origin = "", way = "", inFlight = "1"] = process.argv.slice(2);
const concurrency = Number(inFlight);
const lines = await collect(createInterface({ input: process.stdin }));

const none = () => {};
const send = createRetryingSend({ tries: 1, pauseSeconds: 0, retryAfterLimitSeconds: 0, onRequest: none });
const authorization = createAuthorization({ origin, account: undefined, send });
const requests = createRequests({ origin, concurrency, send, authorization, onFault: none });
const readByte = createBlobReader(requests);

async function ask(repository: string, digest: Digest): Promise<boolean> {
  if (way === "byte") return (await readByte(repository, digest)).state === "present";
  const question = { ...blobQuestion(repository), method: "HEAD" } as const;
  return (await requests.ask(`${origin}/v2/${repository}/blobs/${digest}`, question)).state === "found";
}

const [startedAt, usedBefore] = [performance.now(), process.cpuUsage()];
await forEachBounded(stream(lines), concurrency, async (line) => {
  const [repository = "", digest = ""] = line.split(" ");
  if (!(await ask(repository, digest as Digest))) throw new Error(`${line} is not there`);
});
const { user, system } = process.cpuUsage(usedBefore);
process.stdout.write(
  `${JSON.stringify({
    requestsPerSecond: (lines.length / (performance.now() - startedAt)) * 1000,
    processorMilliseconds: (user + system) / 1000 / lines.length,
  })}\n`,
);
