import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { parseConnection } from "../../../../provider/ssh/connection-config.ts";
import { dial } from "../../../../provider/ssh/dial.ts";

describe("a host that takes a connection and resets it", () => {
  test("is one that cannot be reached: the second error of the same connection ends no process", async () => {
    const server = createServer((socket) => socket.once("data", () => socket.resetAndDestroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJN0yWcZ7WmF1b3Xk0rcn1Q2v4Tg6Hs8Ld0Pz2Yx4Kw6";
    const connection = parseConnection({
      host: "127.0.0.1",
      port,
      hostKey,
      privateKey: "",
      dialErrorLimit: 1,
    });
    try {
      await expect(dial(connection)).rejects.toMatchObject({ code: "E_HOST_UNREACHABLE" });
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
