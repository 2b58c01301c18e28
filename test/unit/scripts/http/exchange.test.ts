import { describe, expect, test } from "vitest";
import { BrokenOffError, sendOnce } from "../../../../scripts/http/exchange.ts";
import { serve } from "../../../support/server/server.ts";

describe("an answer", () => {
  test("that comes slowly is waited for as long as bytes come", async () => {
    const url = await serve(async (_, response) => {
      for (let at = 0; at < 8; at += 1) {
        response.write("x");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      response.end();
    });
    const { body } = await sendOnce(url, { timeoutSeconds: 1 });
    expect(body.byteLength).toBe(8);
  });

  test.each([
    ["at once", false],
    ["after its first bytes", true],
  ])("of a server that falls silent %s is given up", async (_when, hasBytes) => {
    const url = await serve((_, response) => {
      if (hasBytes) response.writeHead(200, { "content-length": 10 }).write("12345");
    });
    await expect(sendOnce(url, { timeoutSeconds: 0.2 })).rejects.toMatchObject({ code: "ETIMEDOUT" });
  });

  test("that breaks off is an error with what came of it", async () => {
    const url = await serve((_, response) => {
      response.writeHead(206, { "content-length": 10 });
      response.write("12345", () => setTimeout(() => response.destroy(), 20));
    });
    const error = await sendOnce(url, {}).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(BrokenOffError);
    expect(error).toMatchObject({ code: "ECONNRESET", receivedBytes: 5, answer: { status: 206 } });
  });

  test("is as long as it is, where only its hash is wanted", async () => {
    const url = await serve((_, response) => void response.end(Buffer.alloc(20 * 1024 * 1024)));
    const { hashed, body } = await sendOnce(url, { use: { hash: "sha256" } });
    expect([hashed?.sizeBytes, body.byteLength]).toEqual([20 * 1024 * 1024, 0]);
    await expect(sendOnce(url, {})).rejects.toMatchObject({ code: "ERR_TOO_LONG" });
  });
});
