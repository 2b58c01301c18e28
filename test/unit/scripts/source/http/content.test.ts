import { expect, test } from "vitest";
import { digestOf } from "../../../../../scripts/registry/digest.ts";
import { collect } from "../../../../../scripts/source/bounded.ts";
import { httpRegistry } from "../../../../../scripts/source/http/registry.ts";
import { sendRange } from "../../../../support/registry/ranges.ts";
import { type Handler, serve } from "../../../../support/server/server.ts";

const bytes = Buffer.from(Array.from({ length: 3_000_000 }, (_, at) => at % 251));

/** The content that a server gives, and what it was asked for. */
async function read(handler: Handler, timeoutSeconds = 10) {
  const asked: (string | undefined)[] = [];
  const origin = await serve((request, response) => {
    asked.push(request.headers.range);
    handler(request, response);
  });
  const source = httpRegistry({ name: "r", origin, account: undefined, concurrency: 1, timeoutSeconds });
  const content = collect(source.content("app", digestOf(bytes), "blob")).then((chunks) =>
    Buffer.concat(chunks),
  );
  return {
    content: await content.then(
      (all) => all.equals(bytes),
      (error: Error) => error.message,
    ),
    asked,
  };
}

/** Gives what is asked for as far as a position of the blob, and closes the connection there. */
const upTo =
  (end: number): Handler =>
  ({ headers }, response) => {
    const first = Number(/\d+/.exec(headers.range ?? "")?.[0]);
    response.writeHead(206, { "content-range": `bytes ${first}-${bytes.length - 1}/${bytes.length}` });
    response.write(bytes.subarray(first, end), () => setTimeout(() => response.destroy(), 20));
  };

test("comes in one answer", async () => {
  const { content, asked } = await read((request, response) => sendRange(request, response, bytes));
  expect([content, asked]).toEqual([true, ["bytes=0-"]]);
});

test("goes on where an answer broke off, any number of times while bytes come", async () => {
  const all = [1000, 500_000, 1_000_000, 2_000_000];
  const ends = [...all];
  const { content, asked } = await read((request, response) => {
    const end = ends.shift();
    if (end === undefined) sendRange(request, response, bytes);
    else upTo(end)(request, response);
  });
  expect(content).toBe(true);
  const positions = asked.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1]));
  // What was on its way when a connection broke is lost, so a little before the end of each answer.
  expect(positions).toHaveLength(5);
  for (const [at, end] of [0, ...all].entries()) expect(positions[at]).toBeLessThanOrEqual(end);
});

test("goes on with the rest where less is given than was asked for", async () => {
  const { content, asked } = await read(({ headers }, response) => {
    const first = Number(/\d+/.exec(headers.range ?? "")?.[0]);
    sendRange({ method: "GET", headers: { range: `bytes=${first}-${first + 1_999_999}` } }, response, bytes);
  });
  expect([content, asked]).toEqual([true, ["bytes=0-", "bytes=2000000-"]]);
});

test("comes from the start again of a server that knows no ranges, and nothing of it twice", async () => {
  let answers = 0;
  const { content, asked } = await read((_, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    if (answers++ > 0) response.end(bytes);
    else response.write(bytes.subarray(0, 70_000), () => setTimeout(() => response.destroy(), 20));
  });
  expect([content, asked.length]).toEqual([true, 2]);
});

test("may take longer than the limit, as long as bytes come", async () => {
  const { content } = await read(async (_, response) => {
    response.writeHead(200, { "content-length": bytes.length });
    for (let at = 0; at < 10; at += 1) {
      response.write(bytes.subarray(at * 300_000, (at + 1) * 300_000));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    response.end();
  }, 2);
  expect(content).toBe(true);
});

test("cannot be had of a server that falls silent", async () => {
  const { content, asked } = await read((_, response) => void response.writeHead(200).flushHeaders(), 0.2);
  expect(content).toMatch(/^breaks off after 0 bytes: no answer for 0\.2 s/);
  expect(asked).toHaveLength(3);
});

test.each<[string, Handler, string]>([
  ["breaks off at the same byte each time", upTo(1000), "breaks off after "],
  ["does not have it", (_, response) => void response.writeHead(404).end(), "answers 404"],
  [
    "gives another part",
    (_, response) => void response.writeHead(206, { "content-range": "bytes 5-9/10" }).end("12345"),
    "answers with another part",
  ],
])("cannot be had of a server that %s", async (_what, handler, reason) => {
  expect((await read(handler)).content).toContain(reason);
});
