import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type StackNginx, startStackNginx } from "../support/registry/stack-nginx.ts";
import { freePort } from "../support/server/free-port.ts";
import { startNameServer } from "../support/server/name-server.ts";
import { waitFor } from "../support/server/running.ts";

/** More than the buffers of a connection hold: the server is still sending while the client waits. */
const blob = randomBytes(64 * 2 ** 20);
const digest = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

let nginx: StackNginx;
const backend = createServer((_request, response) => response.end(blob));

beforeAll(async () => {
  const port = await freePort();
  await new Promise<void>((resolve) => backend.listen(port, "127.0.0.1", resolve));
  nginx = await startStackNginx({ addresses: { "registry-private": `127.0.0.1:${port}` } });
});
afterAll(async () => {
  await nginx.stop();
  backend.closeAllConnections();
  backend.close();
});

/** Fingerprint of the certificate that a new connection gets. */
function served({ settings }: StackNginx): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: "127.0.0.1", port: settings.private.port, rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
        socket.destroy();
      },
    );
    socket.on("error", reject);
  });
}

const fingerprintOf = (pem: string) => new X509Certificate(pem).fingerprint256;

/** A download that has begun and waits. */
async function slowDownload(url: string): Promise<IncomingMessage> {
  const agent = new Agent({ rejectUnauthorized: false });
  const answer = await new Promise<IncomingMessage>((resolve, reject) =>
    request(`${url}/v2/a/blobs/sha256:0`, { agent }, resolve).on("error", reject).end(),
  );
  answer.pause();
  return answer;
}

async function received(answer: IncomingMessage): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of answer) hash.update(chunk);
  return hash.digest("hex");
}

describe("a reload of nginx", () => {
  test("shows a renewed certificate to new connections, and a download that runs ends with its right bytes", async () => {
    const download = await slowDownload(nginx.url);
    const renewed = await nginx.renewCertificate();
    await nginx.reload();
    await waitFor("the new certificate", 10, async () => (await served(nginx)) === fingerprintOf(renewed));
    expect(await received(download)).toBe(digest(blob));
  });

  test("takes up a changed configuration, and a download that runs ends with its right bytes", async () => {
    const download = await slowDownload(nginx.url);
    await nginx.write((text) => text.replace('200 "ok\\n"', '200 "changed\\n"'));
    await nginx.reload();
    const health = `http://127.0.0.1:${nginx.settings.metrics.port}/healthz`;
    await waitFor(
      "the new configuration",
      10,
      async () => (await (await fetch(health)).text()) === "changed\n",
    );
    expect(await received(download)).toBe(digest(blob));
  });

  test("that `nginx -t` refuses leaves the old configuration serving", async () => {
    const before = await served(nginx);
    await nginx.renewCertificate();
    await nginx.write((text) => text.replace("server_tokens off;", "no_such_directive on;"));
    await expect(nginx.reload()).rejects.toThrow(/unknown directive "no_such_directive"/);
    expect(await served(nginx)).toBe(before);
    await nginx.write((text) => text);
    await nginx.reload();
  });

  test("asks for the registries' addresses again, which nginx would keep for ten seconds", async () => {
    const port = await freePort();
    for (const host of ["127.0.0.2", "127.0.0.3"]) {
      const registry = createServer((_request, response) => response.end(host));
      await new Promise<void>((resolve) => registry.listen(port, host, resolve));
      onTestFinished(() => void registry.close());
    }
    const names = await startNameServer("127.0.0.2");
    const proxy = await startStackNginx({ port, resolver: names.address });
    onTestFinished(async () => {
      await proxy.stop();
      names.stop();
    });
    const answer = async () => (await fetch(`${proxy.cacheUrl("ghcr")}/v2/`)).text();
    // Each worker keeps addresses of its own.
    const answers = () => Promise.all(Array.from({ length: 40 }, answer));
    expect(new Set(await answers())).toEqual(new Set(["127.0.0.2"]));
    names.pointTo("127.0.0.3");
    expect(await answers()).toContain("127.0.0.2");
    const reloaded = Date.now();
    await proxy.reload();
    await waitFor(
      "the new address alone",
      5,
      async () => new Set(await answers()).has("127.0.0.2") === false,
    );
    expect(Date.now() - reloaded).toBeLessThan(5_000);
  });
});
