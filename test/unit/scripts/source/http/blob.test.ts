import { describe, expect, test } from "vitest";
import { digestOf } from "../../../../../scripts/registry/digest.ts";
import { httpRegistry } from "../../../../../scripts/source/http/registry.ts";
import { sendRange } from "../../../../support/registry/ranges.ts";
import { type Handler, serve } from "../../../../support/server/server.ts";

const bytes = Buffer.alloc(100_000, "a layer ");
const digest = digestOf(bytes);
const nothing = digestOf(new Uint8Array());

/** Asks a server for blobs, and returns what came of each and what was asked. */
async function ask(handler: Handler, ...digests: (typeof digest)[]) {
  const asked: string[] = [];
  const origin = await serve((request, response) => {
    asked.push(`${request.method} ${request.headers.range ?? "all"}`);
    handler(request, response);
  });
  const source = httpRegistry({ name: "r", origin, account: undefined, concurrency: 1 });
  const blobs = [];
  for (const one of digests.length > 0 ? digests : [digest]) blobs.push(await source.blob("app", one));
  return { blob: blobs[0], blobs, asked, tally: source.tally() };
}

const present = { state: "present", sizeBytes: bytes.length };

describe("whether a blob is served", () => {
  test("is asked by its last byte, which 2.8.3 reads alone", async () => {
    const { blob, asked } = await ask((request, response) => sendRange(request, response, bytes));
    expect([blob, asked]).toEqual([present, ["GET bytes=-1"]]);
  });

  test.each([400, 416])(
    "is asked by the first byte where the last is refused by %i, and from then on",
    async (code) => {
      const { blobs, asked } = await ask(
        (request, response) =>
          request.headers.range === "bytes=-1"
            ? void response.writeHead(code).end()
            : sendRange(request, response, bytes),
        digest,
        digest,
      );
      expect(blobs).toEqual([present, present]);
      expect(asked).toEqual(["GET bytes=-1", "GET bytes=0-0", "GET bytes=0-0"]);
    },
  );

  test("is asked without a range where all are refused", async () => {
    const { blobs, asked } = await ask(
      (request, response) =>
        request.headers.range === undefined
          ? sendRange(request, response, bytes)
          : void response.writeHead(416).end(),
      digest,
      digest,
    );
    expect(blobs).toEqual([present, present]);
    expect(asked).toEqual(["GET bytes=-1", "GET bytes=0-0", "GET all", "GET all"]);
  });

  test("costs no more than the first bytes of a server that knows no ranges", async () => {
    const length = 8 * 1024 ** 3;
    let sentBytes = 0;
    const { blob } = await ask((_request, response) => {
      response.writeHead(200, { "content-length": length });
      const send = () => {
        while (!response.destroyed && sentBytes < length) {
          sentBytes += bytes.length;
          if (!response.write(bytes)) return void response.once("drain", send);
        }
      };
      send();
    });
    expect(blob).toEqual({ state: "present", sizeBytes: length });
    // What the buffers of both ends hold.
    expect(sentBytes).toBeLessThan(32 * 1024 ** 2);
  });

  test.each([
    ["short", 5000, ["GET bytes=-1"]],
    ["long", 50_000, ["GET bytes=-1", "HEAD all"]],
  ])("is found out, with its length, of a %s answer that says none", async (_what, length, expected) => {
    const { blob, asked } = await ask(({ method }, response) => {
      if (method === "HEAD") response.writeHead(200, { "content-length": length }).end();
      else response.writeHead(200, { "transfer-encoding": "chunked" }).end(bytes.subarray(0, length));
    });
    expect([blob, asked]).toEqual([{ state: "present", sizeBytes: length }, expected]);
  });

  test.each<[string, Handler]>([
    [
      "2.8.3 answers",
      (_, response) => void response.writeHead(206, { "content-range": "bytes 0--1/0" }).end(),
    ],
    ["nginx answers", (_, response) => void response.writeHead(416, { "content-range": "bytes */0" }).end()],
    [
      "a server without ranges answers",
      (_, response) => void response.writeHead(200, { "content-length": 0 }).end(),
    ],
  ])("is known of an empty one by what %s", async (_who, answer) => {
    const { blob, asked } = await ask(answer);
    expect([blob, asked]).toEqual([{ state: "present", sizeBytes: 0 }, ["GET bytes=-1"]]);
  });

  test("is asked without a range of the blob of no bytes, and does not change how others are asked", async () => {
    const answer: Handler = (request, response) => {
      if (request.url?.endsWith(nothing) && request.headers.range !== undefined)
        response.writeHead(416).end();
      else sendRange(request, response, request.url?.endsWith(nothing) ? Buffer.alloc(0) : bytes);
    };
    const { blobs, asked } = await ask(answer, nothing, digest);
    expect(blobs).toEqual([{ state: "present", sizeBytes: 0 }, present]);
    expect(asked).toEqual(["GET all", "GET bytes=-1"]);
    const { blob } = await ask((_, response) => void response.writeHead(404).end(), nothing);
    expect(blob).toEqual({ state: "missing" });
  });
});

/** Says that a byte comes, and closes the connection, so many times. */
function breakingOff(times: number, status = 206): Handler {
  let left = times;
  return (request, response) => {
    if (left-- <= 0) return sendRange(request, response, bytes);
    const range = `bytes ${bytes.length - 1}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(status, {
      "content-length": status === 206 ? 1 : bytes.length,
      "content-range": range,
    });
    response.flushHeaders();
    setImmediate(() => response.destroy());
  };
}

describe("a blob whose answer breaks off", () => {
  test.each([206, 200])("each time is missing, whatever the registry promises: %i", async (status) => {
    const { blob, asked, tally } = await ask(breakingOff(3, status));
    expect(blob).toEqual({ state: "missing", isPromised: true });
    expect([asked.length, tally.requests]).toEqual([3, 3]);
    expect(tally.errors).toEqual({ unauthorised: 0, unavailable: 0, unexpected: 0 });
  });

  test("once is there", async () => {
    expect((await ask(breakingOff(1))).blob).toEqual(present);
  });
});

const error = (detail: unknown) =>
  JSON.stringify({ errors: [{ code: "UNKNOWN", message: "unknown error", detail }] });

test("a blob of which the registry makes no sense is invalid, and asked for once", async () => {
  const { blob, asked, tally } = await ask((_, response) => void response.writeHead(500).end(error({})));
  expect(blob).toMatchObject({ state: "invalid", reason: expect.stringContaining("answers 500") });
  expect([asked.length, tally.errors.unavailable]).toEqual([1, 0]);
});

test.each([
  ["its storage fails", error({ DriverName: "filesystem", Enclosed: { Op: "open", Err: 5 } })],
  ["a call fails", error({ Op: "read", Path: "/var/lib/registry", Err: 5 })],
  ["a proxy has no backend", "<html>Internal Server Error</html>"],
])(
  "a blob that cannot be had because %s could not be checked, and is asked for again",
  async (_why, body) => {
    const { blob, asked, tally } = await ask((_, response) => void response.writeHead(500).end(body));
    expect(blob).toMatchObject({ state: "unreadable", kind: "unavailable" });
    expect([asked.length, tally.errors.unavailable]).toEqual([3, 1]);
  },
);
