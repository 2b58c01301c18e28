import { describe, expect, test, vi } from "vitest";
import { isSecret, plain, type Run, run, visibleText } from "../support/program-stack/engine.ts";
import { HOST_KEY, SECRET_TEXTS, SSH_KEY, WITH_CACHE_ACCOUNT } from "../support/program-stack/raw-config.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const servers = ["10.0.20.1", "94.140.14.14"];
const proxmox = {
  name: "proxmox",
  address: "192.0.2.10",
  hostKey: HOST_KEY,
  kind: "resolvConf",
  servers: ["192.0.2.1", "94.140.14.14"],
  searchDomains: ["example.lan"],
};
const nas = {
  ...proxmox,
  name: "nas",
  address: "192.0.2.15",
  kind: "resolved",
  netplan: "enp1s0",
  sshUser: "admin",
};

async function stackWith(dns: object): Promise<Run<unknown>> {
  return await run(registryStack, { config: { ...WITH_CACHE_ACCOUNT, dns: JSON.stringify(dns) } });
}

const names = ({ declared }: Run<unknown>, start: string) =>
  declared.filter(({ name }) => name === start || name.startsWith(`${start}-`)).map(({ name }) => name);

describe("DNS of the VM", () => {
  test("has the same servers and domains in resolved's drop-in and in netplan", async () => {
    const { find } = await stackWith({ servers, searchDomains: ["example.lan"], netplan: "eth0" });
    const [, inDropIn = ""] = /^DNS=(.*)$/m.exec(String(find("dns-servers").inputs.content)) ?? [];
    const [, domains = ""] = /^Domains=(.*)$/m.exec(String(find("dns-servers").inputs.content)) ?? [];
    const { device, ...netplan } = find("dns-netplan").inputs;
    expect(device).toBe("eth0");
    expect(netplan.servers).toEqual(inDropIn.split(" "));
    expect([...(netplan.searchDomains as string[]), "~."]).toEqual(domains.split(" "));
    expect(netplan.name).toBe("registry.example.com");
  });

  test("leaves netplan alone unless a device is named", async () => {
    expect(names(await stackWith({ servers }), "dns")).not.toContain("dns-netplan");
  });

  test("keeps what was there before anything is changed, and brings it back when it goes", async () => {
    const stack = await stackWith({ servers, netplan: "eth0" });
    const order = names(stack, "dns");
    for (const later of ["dns-servers", "dns-restart", "dns-netplan"])
      expect(order.indexOf("dns-backup")).toBeLessThan(order.indexOf(later));
    expect(stack.find("dns-backup").inputs).toMatchObject({
      script: "/usr/local/sbin/regwarden-dns backup\n",
      removal: "/usr/local/sbin/regwarden-dns retire\n",
    });
    expect(stack.find("dns-servers").inputs.restoreFrom).toBe(
      "/var/backups/regwarden/dns/before/files/etc/systemd/resolved.conf.d/10-internal-dns.conf",
    );
  });

  test("is asked for the name that is given for tests", async () => {
    const { find } = await stackWith({ servers, testName: "example.org" });
    expect(find("dns-restart").inputs.script).toContain("resolvectl query --legend=no example.org");
    expect(find("dns-command").inputs.content).toContain("default_name=example.org\n");
  });
});

describe("DNS of other hosts", () => {
  test("needs none of the VM, and leaves it alone", async () => {
    const stack = await stackWith({ hosts: [proxmox] });
    expect(stack.declared.map(({ name }) => name)).not.toContain("dns");
    expect(stack.find("unmanaged-things").inputs.directories).not.toContain("/etc/systemd/resolved.conf.d");
  });

  test("is a plain resolv.conf where there is no resolved", async () => {
    const stack = await stackWith({ servers, hosts: [proxmox] });
    expect(names(stack, "dns-proxmox")).toEqual([
      "dns-proxmox",
      "dns-proxmox",
      "dns-proxmox-reachable",
      "dns-proxmox-command",
      "dns-proxmox-backup",
      "dns-proxmox-servers",
      "dns-proxmox-check",
    ]);
    expect(stack.find("dns-proxmox-servers").inputs).toMatchObject({
      path: "/etc/resolv.conf",
      content: expect.stringContaining("search example.lan\nnameserver 192.0.2.1\nnameserver 94.140.14.14\n"),
      restoreFrom: "/var/backups/regwarden/dns/before/files/etc/resolv.conf",
    });
  });

  test("goes over a connection of its own, verified and with the same key, and is deferrable", async () => {
    const stack = await stackWith({ servers, hosts: [proxmox, nas] });
    for (const [name, address, user] of [
      ["dns-proxmox", "192.0.2.10", "root"],
      ["dns-nas", "192.0.2.15", "admin"],
    ] as const) {
      const provider = stack.find(name, "pulumi:providers:host");
      expect(isSecret(provider.inputs.connection)).toBe(true);
      expect(JSON.parse(String(plain(provider.inputs.connection)))).toMatchObject({
        host: address,
        user,
        hostKey: HOST_KEY,
        privateKey: SSH_KEY,
      });
      expect(provider.inputs.deferrable).toBe("true");
      for (const each of stack.declared.filter((one) => one.name.startsWith(`${name}-`))) {
        if (each.type.startsWith("host:")) expect(each.provider).toContain(`::${name}::`);
        else expect(plain(each.inputs.connection)).toMatchObject({ host: address, user });
      }
    }
    expect(stack.find("host", "pulumi:providers:host").inputs).not.toHaveProperty("deferrable");
    for (const secret of SECRET_TEXTS) expect(visibleText(stack.declared)).not.toContain(secret);
  });

  test("waits for the host to be reached, and no other host does", async () => {
    const stack = await stackWith({ servers, hosts: [proxmox, nas] });
    const order = names(stack, "dns-nas");
    expect(order.indexOf("dns-nas-reachable")).toBeLessThan(order.indexOf("dns-nas-command"));
    expect(stack.find("dns-nas-reachable").inputs.host).toBe("nas");
    expect(stack.find("dns-nas-netplan").inputs).toMatchObject({ device: "enp1s0", servers: nas.servers });
    expect(names(stack, "dns")).not.toContain("dns-reachable");
  });
});
