import { once } from "node:events";
import { createServer } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { CERTIFICATE, PRIVATE_KEY } from "../../../support/program-stack/tls.ts";
import { probe } from "../../../support/registry/fake-registry.ts";

test("a certificate that is not trusted ends the check, gets no account, and its expiry is reported", async () => {
  const asked: unknown[] = [];
  const server = createServer(
    { cert: CERTIFICATE, key: PRIVATE_KEY },
    (request) => void asked.push(request.url),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;

  const { exitCode, report } = await probe(`https://127.0.0.1:${port}`);

  expect([exitCode, report.catalogueAccessible]).toEqual([3, false]);
  expect(report.errors).toEqual({ unauthorised: 0, unavailable: 0, unexpected: 2 });
  expect(report.findings[0]?.hint).toContain("NODE_EXTRA_CA_CERTS");
  expect(report.certificateExpiresAt).toBe("2126-10-28T05:01:03.000Z");
  expect(asked).toEqual([]);
});
