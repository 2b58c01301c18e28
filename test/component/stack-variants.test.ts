import { describe, expect, test, vi } from "vitest";
import { withCluster } from "../support/program-stack/cluster.ts";
import { plain, run, visibleText } from "../support/program-stack/engine.ts";
import { PULL_PASSWORD, SSH_KEY, WITH_CACHE_ACCOUNT } from "../support/program-stack/raw-config.ts";
import { CONFIG, revisions } from "../support/program-stack/stack.ts";
import { agentSocket } from "../support/server/agent-socket.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

async function changedServices(change: Record<string, string>): Promise<string[]> {
  const before = revisions(await run(registryStack, { config: CONFIG }));
  const after = revisions(await run(registryStack, { config: { ...CONFIG, ...change } }));
  return Object.keys(after).filter((name) => before[name] !== after[name]);
}

describe("a change", () => {
  test.each<[string, Record<string, string>, string[]]>([
    [
      "of a cache's password",
      { cachePasswords: JSON.stringify({ dockerhub: "another" }) },
      ["registry-dockerhub"],
    ],
    ["of the UI's title", { ui: JSON.stringify({ title: "Images" }) }, ["ui"]],
    ["of the scan's time", { scan: JSON.stringify({ onCalendar: "daily" }) }, []],
    ["of the metrics port", { metrics: JSON.stringify({ port: 5002 }) }, ["nginx"]],
  ])("%s recreates nothing else", async (_, change, services) => {
    expect(await changedServices(change)).toEqual(services);
  });
});

describe("variants", () => {
  test("without DNS leave the host's alone", async () => {
    const { declared } = await run(registryStack, { config: WITH_CACHE_ACCOUNT });
    expect(declared.filter(({ name }) => name.startsWith("dns"))).toEqual([]);
  });

  test("with a private authority let the checks verify against it", async () => {
    const tlsAuthority = WITH_CACHE_ACCOUNT.tlsCertificate ?? "";
    const { find } = await run(registryStack, { config: { ...CONFIG, tlsAuthority } });
    expect(find("registry-files-tls-authority").inputs.path).toBe("/opt/registry/tls/authority.pem");
    expect(find("registry-check-run").inputs.script).toContain(
      "--volume /opt/registry/tls/authority.pem:/ca.pem:ro",
    );
  });

  test("with a certificate of the host itself write none, and take it before nginx.conf is tested with it", async () => {
    const { tlsCertificate: _, tlsPrivateKey: __, ...config } = CONFIG;
    const tls = { certificate: "/etc/tls/fullchain.pem", privateKey: "/etc/tls/privkey.pem" };
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), tls });
    const { declared, find } = await run(registryStack, { config: { ...config, host } });
    const names = declared.map(({ name }) => name);
    expect(names).not.toContain("registry-files-tls-certificate");
    expect(names).not.toContain("registry-files-tls-private-key");
    expect(names.indexOf("registry-files-tls-on-host-take")).toBeLessThan(
      names.indexOf("registry-files-nginx"),
    );
    expect(find("registry-files-tls-on-host-path").inputs).toMatchObject({
      name: "regwarden-certificate.path",
      enabled: true,
      active: true,
    });
    expect(find("registry-check-run").inputs.script).toContain("/opt/registry/tls/fullchain.pem:/ca.pem:ro");
  });

  test("with an account that may only pull give it to the cluster's programs, and its password to the registry", async () => {
    const own = { private: JSON.stringify({ pullUser: "reader" }), pullPassword: PULL_PASSWORD };
    const { find, declared } = await run(registryStack, { config: { ...withCluster({}), ...own } });
    expect(Object.keys(plain(find("registry-files-htpasswd").inputs.users) as object)).toContain("reader");
    const { data } = find("cluster-programs-credentials").inputs;
    const given = Object.values(plain(data) as Record<string, string>).map((text) =>
      Buffer.from(text, "base64").toString(),
    );
    expect(given.sort()).toEqual([PULL_PASSWORD, "reader"]);
    expect(visibleText(declared)).not.toContain(PULL_PASSWORD);
  });

  test("with an agent hand over its socket and no key", async () => {
    const agentSocketPath = await agentSocket();
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), agentSocketPath });
    const { sshPrivateKey: _, ...config } = CONFIG;
    const { find } = await run(registryStack, { config: { ...config, host } });
    const connection = JSON.parse(String(plain(find("host").inputs.connection)));
    expect(connection).toMatchObject({ agentSocketPath });
    expect(connection).not.toHaveProperty("privateKey");
  });

  test("behind a proxy hand over both hops, with one key or two", async () => {
    const proxy = { address: "bastion.example.com", sshUser: "jump", hostKey: "ssh-ed25519 AAAAC3Nz" };
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), proxy });
    const hop = { host: "bastion.example.com", port: 22, user: "jump", hostKey: "ssh-ed25519 AAAAC3Nz" };
    for (const own of [undefined, SSH_KEY.replace("b3Bl", "b3Bm").replaceAll("\n", "\r\n")]) {
      const config = { ...CONFIG, host, ...(own === undefined ? {} : { sshProxyPrivateKey: own }) };
      const stack = await run(registryStack, { config });
      const privateKey = own?.replaceAll("\r", "") ?? SSH_KEY;
      const connection = JSON.parse(String(plain(stack.find("host").inputs.connection)));
      expect(connection.proxy).toMatchObject({ ...hop, privateKey });
      expect(visibleText(stack.declared)).not.toContain("b3B");
    }
  });

  test("with a key that has carriage returns hand it over without", async () => {
    const sshPrivateKey = SSH_KEY.replaceAll("\n", "\r\n");
    const { find } = await run(registryStack, { config: { ...CONFIG, sshPrivateKey } });
    expect(JSON.parse(String(plain(find("host").inputs.connection))).privateKey).toBe(SSH_KEY);
  });

  test("with an agent that is not there are refused at the door", async () => {
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), agentSocketPath: "/nowhere/agent" });
    await expect(run(registryStack, { config: { ...CONFIG, host } })).rejects.toThrow(/no.*at this path/);
  });

  test("with a data mount check it before any change, before any other directory, and before containers start", async () => {
    const host = JSON.stringify({ ...JSON.parse(CONFIG.host ?? ""), dataMount: "/opt/registry/data" });
    const { find } = await run(registryStack, { config: { ...CONFIG, host } });
    expect(find("host").inputs.mounts).toBe("/opt/registry/data");
    const data = { name: "private", mount: "/opt/registry/data", container: "registry-private" };
    expect(find("registry-directories-data-private").inputs.data).toMatchObject(data);
    expect(find("registry-services-compose").inputs.data).toEqual([
      { ...data, path: "/opt/registry/data/private", target: "/var/lib/registry" },
    ]);
  });

  test("with a faulty configuration declare nothing, and report all faults at once", async () => {
    const config = { ...CONFIG, registryPassword: "", metrics: '{"port":5050}', surprise: "7421" };
    const failed = run(registryStack, { config });
    await expect(failed).rejects.toThrow(
      /3 faults[\s\S]*surprise[\s\S]*metrics\.port[\s\S]*registryPassword/,
    );
  });
});
