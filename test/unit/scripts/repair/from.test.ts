import { rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { RepairReport } from "../../../../contract/repair-report.ts";
import { type Digest, digestOf } from "../../../../scripts/registry/digest.ts";
import { mediaTypes } from "../../../../scripts/registry/media-types.ts";
import { blobDirectory } from "../../../../scripts/registry/paths.ts";
import { regwarden, temporaryDirectory } from "../../../support/program.ts";
import { sendRange } from "../../../support/registry/ranges.ts";
import { serve } from "../../../support/server/server.ts";
import { storeAt } from "../../../support/store/store.ts";

afterEach(() => void vi.unstubAllEnvs());

const layer = Buffer.alloc(5 * 1024 * 1024, "what a layer holds ");

/** A store that lost the layer of `app:1`. */
async function storeWithoutLayer(): Promise<{ readonly directory: string; readonly digest: Digest }> {
  vi.stubEnv("DOCKER_CONFIG", "/nowhere");
  const directory = await temporaryDirectory();
  const store = storeAt(directory);
  const digest = digestOf(layer);
  const config = await store.layer("app", "{}");
  await store.put(store.layerLink("app", digest), digest);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { digest: config, size: 2 },
    layers: [{ digest, size: layer.length }],
  };
  await store.manifest("app", document, "1");
  await rm(blobDirectory(directory, digest), { recursive: true, force: true });
  return { directory, digest };
}

async function repair(
  directory: string,
  from: string,
): Promise<{ readonly exitCode: number; readonly report: RepairReport; readonly stderr: string }> {
  const argv = ["repair", directory, "--apply", "--json", "--from", from];
  const { exitCode, stdout, stderr } = await regwarden(argv);
  return { exitCode, report: JSON.parse(stdout === "" ? "{}" : stdout), stderr };
}

const positionOf = (range: string | undefined) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]);

/** Whether only a byte is asked for, to see that the layer is there. */
const isQuestion = ({ headers }: IncomingMessage) => headers.range === "bytes=-1";

describe("fetching from another registry", () => {
  test("goes on where a layer broke off, and asks again when it is refused for a moment", async () => {
    const { directory } = await storeWithoutLayer();
    const asked: (string | undefined)[] = [];
    const half = layer.length / 2;
    const url = await serve((request, response) => {
      asked.push(request.headers.range);
      if (asked.length === 3) return void response.writeHead(503).end();
      if (asked.length !== 2) return sendRange(request, response, layer);
      response.writeHead(200, { "content-length": layer.length });
      response.write(layer.subarray(0, half), () => setTimeout(() => response.destroy(), 20));
    });

    const { exitCode, report } = await repair(directory, url);

    expect([exitCode, report.outcome]).toEqual([0, { made: 1, failures: [], left: [] }]);
    const [question, start, rest, again] = asked;
    expect([question, start, again]).toEqual(["bytes=-1", "bytes=0-", rest]);
    // What was on its way when the connection broke is lost.
    expect(positionOf(rest)).toBeGreaterThan(0);
    expect(positionOf(rest)).toBeLessThanOrEqual(half);
  });

  test("follows to where the blobs are kept, but does not show the account there", async () => {
    const { directory } = await storeWithoutLayer();
    vi.stubEnv("FROM_USER", "ci");
    vi.stubEnv("FROM_PASS", "secret-word");
    const shown: (string | undefined)[] = [];
    const storage = await serve((request, response) => {
      shown.push(request.headers.authorization);
      sendRange(request, response, layer);
    });
    const url = await serve((request, response) => {
      if (request.headers.authorization === undefined)
        return void response.writeHead(401, { "www-authenticate": 'Basic realm="here"' }).end();
      response.writeHead(307, { location: `${storage}/signed` }).end();
    });

    expect((await repair(directory, url)).exitCode).toBe(0);
    expect(shown).toEqual([undefined, undefined]);
  });

  test("takes the whole at once from a server that knows no parts", async () => {
    const { directory } = await storeWithoutLayer();
    const url = await serve((_, response) => void response.end(layer));
    expect((await repair(directory, url)).exitCode).toBe(0);
  });

  test.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    [
      "gives more than it promised",
      (request, response) =>
        sendRange(request, response, isQuestion(request) ? layer : Buffer.concat([layer, layer])),
      "gives more than the 5242880 bytes",
    ],
    [
      "stops before the end",
      (request, response) => {
        if (isQuestion(request)) return sendRange(request, response, layer);
        response.writeHead(206, { "content-range": `bytes 0-9/10` }).end(layer.subarray(0, 10));
      },
      "gives 10 bytes instead of 5242880",
    ],
    [
      "answers with another part",
      (request, response) => {
        if (isQuestion(request)) return sendRange(request, response, layer);
        response.writeHead(206, { "content-range": `bytes 5-9/10` }).end(layer.subarray(5, 10));
      },
      "does not give it: answers with another part than it was asked for",
    ],
  ])("refuses a server that %s, and leaves nothing behind", async (_, answer, why) => {
    const { directory, digest } = await storeWithoutLayer();
    const url = await serve(answer);

    const { exitCode, report } = await repair(directory, url);

    expect(exitCode).toBe(1);
    expect(report.outcome?.made).toBe(0);
    expect(report.outcome?.failures[0]).toContain(`${digest} was not copied: ${url} ${why}`);
  });

  test("says what to do when the layer has another length there", async () => {
    const { directory } = await storeWithoutLayer();
    const url = await serve((request, response) => sendRange(request, response, layer.subarray(1)));
    const { exitCode, report } = await repair(directory, url);
    expect([exitCode, report.changes]).toEqual([1, []]);
    expect(report.images[0]?.hints[0]).toMatch(/^docker buildx build --push /);
  });
});

describe("the account for --from", () => {
  test("is the one that docker login wrote for that host", async () => {
    const { directory } = await storeWithoutLayer();
    const seen = new Set<string | undefined>();
    const url = await serve((request, response) => {
      seen.add(request.headers.authorization);
      if (request.headers.authorization === undefined)
        return void response.writeHead(401, { "www-authenticate": 'Basic realm="here"' }).end();
      sendRange(request, response, layer);
    });
    const docker = await temporaryDirectory();
    const auth = Buffer.from("ci:with:colon").toString("base64");
    const auths = { [new URL(url).host]: { auth }, "elsewhere.example": { auth: "b3RoZXI6d29yZA==" } };
    await writeFile(join(docker, "config.json"), JSON.stringify({ auths, credsStore: "desktop" }));
    vi.stubEnv("DOCKER_CONFIG", docker);

    expect((await repair(directory, url)).exitCode).toBe(0);
    expect(seen).toEqual(new Set([undefined, `Basic ${auth}`]));
  });

  test.each([
    ["goes to nobody over a network in clear", ["http://registry.example"], "must be https"],
    ["is not given to several registries", ["http://127.0.0.1:1", "http://127.0.0.1:2"], "names several"],
  ])("%s", async (_, from, why) => {
    const { directory } = await storeWithoutLayer();
    vi.stubEnv("FROM_USER", "ci");
    vi.stubEnv("FROM_PASS", "secret-word");
    const argv = ["repair", directory, ...from.flatMap((url) => ["--from", url])];
    const { exitCode, stderr } = await regwarden(argv);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(why)]);
    expect(stderr).not.toContain("secret-word");
  });

  test.each([
    ["registry.example"],
    ["https://user:word@registry.example"],
    ["https://registry.example/UPPER"],
  ])("is asked for at no address like %s", async (address) => {
    const { exitCode, stderr } = await regwarden(["repair", "/nowhere", "--from", address]);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining("--from must be like")]);
    expect(stderr).not.toContain("word@");
  });
});
