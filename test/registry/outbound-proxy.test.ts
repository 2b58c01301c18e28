import { request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { proxyEnvironment } from "../../components/host/render/compose.ts";
import { image } from "../support/images/oci-content.ts";
import { startRegistry } from "../support/registry/registry.ts";
import { serve } from "../support/server/server.ts";

/** A forward proxy that finds every name at one server; gives its URL and what it was asked for. */
async function startForwardProxy(
  target: string,
): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = [];
  const url = await serve((incoming, response) => {
    const wanted = new URL(incoming.url ?? "");
    asked.push(wanted.href);
    const { method = "GET", headers } = incoming;
    const passed = request(
      new URL(`${wanted.pathname}${wanted.search}`, target),
      { method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy()).end();
  });
  return { url, asked };
}

test("a cache with the environment of the compose file reaches its remote by the proxy", async () => {
  const remote = await startRegistry();
  onTestFinished(remote.dispose);
  await remote.upload(image("behind a proxy", "linux/amd64"), "app", "1");
  const { url, asked } = await startForwardProxy(remote.url);
  const env = proxyEnvironment({ url, noProxy: [".lan"] });
  const cache = await startRegistry(undefined, { proxyOf: "http://remote.example", env });
  onTestFinished(cache.dispose);
  expect(await cache.manifestStatus("app", "1")).toBe(200);
  expect(asked.some((each) => each === "http://remote.example/v2/app/manifests/1")).toBe(true);
});
