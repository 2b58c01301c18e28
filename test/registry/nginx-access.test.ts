import { execFile } from "node:child_process";
import { rename, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { hash } from "bcryptjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { image } from "../support/images/oci-content.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";
import { type StackNginx, startStackNginx } from "../support/registry/stack-nginx.ts";

const owner = { user: "ci", password: "correct horse" };
const reader = { user: "reader", password: "battery staple" };
const content = image("an image", "linux/amd64");

let registry: Registry;
let cache: Registry;
let nginx: StackNginx;

/** Replaces the passwords that the registry knows, as the program does on the host: by rename, without a restart. */
async function setPasswords(accounts: readonly { user: string; password: string }[]): Promise<void> {
  const path = join(dirname(registry.directory), "htpasswd");
  const lines = await Promise.all(
    accounts.map(async ({ user, password }) => `${user}:${await hash(password, 5)}\n`),
  );
  await writeFile(`${path}.new`, lines.join(""));
  await rename(`${path}.new`, path);
}

beforeAll(async () => {
  [registry, cache] = await Promise.all([startRegistry(owner), startRegistry()]);
  await registry.push(content, "app", "1");
  await setPasswords([owner, reader]);
  const host = (url: string) => new URL(url).host;
  const addresses = {
    "registry-private": host(registry.url),
    "registry-dockerhub": host(cache.url),
    "registry-ghcr": host(cache.url),
  };
  const remote = { port: 0, remoteUrl: "https://remote.example" };
  const caches = [
    { ...remote, name: "dockerhub", allowFrom: ["10.0.0.0/8"] },
    { ...remote, name: "ghcr", allowFrom: ["127.0.0.0/8"] },
  ];
  nginx = await startStackNginx({ addresses }, { caches, private: { port: 0, pullUser: reader.user } });
});
afterAll(async () => {
  await nginx.stop();
  await Promise.all([registry.dispose(), cache.dispose()]);
});

/** Copies with a real client through nginx. */
async function skopeo(account: typeof owner, ...args: readonly string[]): Promise<void> {
  const flags = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  const creds = ["src", "dest"].flatMap((side) => [`--${side}-creds`, `${account.user}:${account.password}`]);
  await promisify(execFile)("skopeo", ["copy", "--all", ...flags, ...creds, ...args], { timeout: 60_000 });
}

function status(method: string, path: string, { user, password } = owner): Promise<string> {
  const options = { method, auth: `${user}:${password}`, rejectUnauthorized: false };
  return new Promise((resolve, reject) => {
    const sent = request(`${nginx.url}${path}`, options, async (answer) => {
      let body = "";
      for await (const chunk of answer) body += chunk;
      resolve(`${answer.statusCode}${body.includes("may only pull") ? " may only pull" : ""}`);
    });
    sent.on("error", reject).end();
  });
}

const at = (name: string) => `docker://${new URL(nginx.url).host}/${name}`;

describe("the account that may only pull", () => {
  test("pulls with a real client", async () => {
    await skopeo(reader, at("app:1"), `dir:${join(dirname(registry.directory), "pulled")}`);
  });

  test("cannot push with a real client, where the other account can", async () => {
    await expect(skopeo(reader, at("app:1"), at("app:2"))).rejects.toThrow(/denied|may only pull|403/i);
    expect(await registry.manifestStatus("app", "2")).toBe(404);
    await skopeo(owner, at("app:1"), at("app:2"));
    expect(await registry.manifestStatus("app", "2")).toBe(200);
  });

  test.each(["POST", "PUT", "PATCH", "DELETE"])("gets 403 for %s, whatever it asks for", async (method) => {
    for (const path of ["/v2/app/blobs/uploads/", "/v2/app/manifests/1"])
      expect(await status(method, path, reader)).toBe("403 may only pull");
    expect(await registry.manifestStatus("app", "1")).toBe(200);
  });

  test("puts the list of the images in use, and nothing else beside it", async () => {
    await skopeo(reader, at("app:1"), at("regwarden/in-use:latest"));
    expect(await registry.manifestStatus("regwarden/in-use", "latest")).toBe(200);
    for (const path of [
      "/v2/regwarden/in-use/manifests/other",
      "/v2/regwarden/in-use/manifests/latest2",
      "/v2/regwarden/sentinel/manifests/1",
      "/v2/regwarden/in-use/x/blobs/uploads/",
      "/v2/regwarden/in-use/../../app/manifests/latest",
      "/v2/app/manifests/regwarden/in-use/manifests/latest",
      "/v2/regwarden%2Fin-use/manifests/latest",
      "/v2/app/blobs/uploads/?a=/v2/regwarden/in-use/manifests/latest",
    ])
      expect([path, await status("PUT", path, reader)]).toEqual([path, "403 may only pull"]);
    expect(await status("DELETE", "/v2/regwarden/in-use/manifests/latest", reader)).toBe("403 may only pull");
  });

  test("is asked for its password like any other, and its name in other letters is no way around", async () => {
    expect(await status("GET", "/v2/", reader)).toBe("200");
    expect(await status("GET", "/v2/", { ...reader, password: "wrong" })).toBe("401");
    expect(await status("POST", "/v2/app/blobs/uploads/", { ...reader, user: "READER" })).toMatch(/^40[13]/);
    expect(await status("POST", "/v2/app/blobs/uploads/")).toBe("202");
  });
});

test("a cache answers the networks that it names, and no other", async () => {
  const ask = async (name: string, path: string) => (await fetch(`${nginx.cacheUrl(name)}${path}`)).status;
  const blob = `/v2/app/blobs/sha256:${"0".repeat(64)}`;
  expect([await ask("dockerhub", "/v2/"), await ask("dockerhub", blob)]).toEqual([403, 403]);
  expect([await ask("ghcr", "/v2/"), await ask("ghcr", blob)]).toEqual([200, 404]);
});

test("the registry takes a new password from a renamed file at once, without a restart", async () => {
  const renewed = { ...owner, password: "another one" };
  await setPasswords([renewed, reader]);
  expect(await status("GET", "/v2/", renewed)).toBe("200");
  expect(await status("GET", "/v2/", owner)).toBe("401");
  await setPasswords([owner, reader]);
});
