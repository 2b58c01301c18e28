import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dnsPaths } from "../../contract/dns.ts";
import { nodeBinary, projectRoot } from "../../lab/machine/paths.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { engineEnds, expectCode, noDrift, up } from "../support/lab/expected.ts";
import {
  onPlainHost,
  plainHost,
  plainResolvConf,
  startPlainHost,
  stopPlainHost,
} from "../support/lab/plain-host.ts";
import { type Resolvers, startResolvers } from "../support/lab/resolvers.ts";
import { dns, instance, onHost, pulumi } from "../support/lab/stack.ts";

const name = "name.example.com";
const netplanFile = "/etc/netplan/50-cloud-init.yaml";
const deferred = /\n {2}hypervisor: root@172\.31\.\d+\.20:2223: cannot connect/;
let resolvers: Resolvers;
let before: string;
let isDeclared = false;

/** Path, mode, owner and digest of every file of the VM that has a say. */
const files = () =>
  onHost(
    `find /etc/netplan ${dnsPaths.dropInDirectory} -type f -exec stat -c '%n %a %U:%G' {} + -exec sha256sum {} + 2>/dev/null || true`,
  );
const plainFile = () => onPlainHost("cat /etc/resolv.conf; echo end");
const routes = () => onHost("ip rule list pref 5353; ip route show table 53530 2>/dev/null || true");

beforeAll(async () => {
  resolvers = await startResolvers({ sh: onHost });
  before = await files();
  const hostKey = await pulumi("config", "get", "--path", "regwarden:host.hostKey");
  const servers = resolvers.servers;
  const hosts = [{ name: "hypervisor", ...plainHost, hostKey: hostKey.trim(), kind: "resolvConf", servers }];
  const common = { servers, searchDomains: ["example.lan"], netplan: resolvers.device, testName: name };
  await pulumi("config", "set", "regwarden:dns", JSON.stringify({ ...common, hosts }));
  isDeclared = true;
});
afterAll(async () => {
  if (isDeclared) {
    await pulumi("config", "rm", "regwarden:dns");
    await startPlainHost();
    await up();
  }
  await stopPlainHost();
  await resolvers.clear();
});

describe("an update", () => {
  test("gives both layers of the VM the same servers, and defers by name a host that cannot be reached", async () => {
    expect(await engineEnds(1, "up", "--yes")).toMatch(deferred);
    expect(await onHost(`cat ${dnsPaths.dropIn}`)).toContain(`DNS=${resolvers.servers.join(" ")}`);
    expect(await onHost(`resolvectl dns ${resolvers.device}`)).toContain(`: ${resolvers.servers.join(" ")}`);
  });

  test("is asked for by drift, for that host and for netplan's file, which was changed by hand", async () => {
    await onHost(`sed -i 's/${resolvers.servers[0]}/192.0.2.1/' ${netplanFile}`);
    const drift = await engineEnds(7, "drift");
    expect(drift).toMatch(/update\s+NetplanDns\s+dns-netplan\s+.*servers/);
    expect(drift).toMatch(/create\s+File\s+dns-hypervisor-servers/);
  });

  test("heals that, and reaches the host once it answers", async () => {
    await startPlainHost();
    await up();
    const nameservers = resolvers.servers.map((server) => `nameserver ${server}\n`).join("");
    expect(await onPlainHost("cat /etc/resolv.conf")).toContain(nameservers);
    await noDrift();
  });
});

describe("the machine of the first server is off", () => {
  beforeAll(async () => {
    await onHost("resolvectl flush-caches");
    await resolvers.turnFirstOff();
  });
  afterAll(async () => {
    await resolvers.turnFirstOn();
    await onHost("systemctl restart systemd-resolved");
  });

  test.each([
    ["with resolved", onHost, `resolvectl query --legend=no -4 ${name}`],
    ["with a plain resolv.conf", onPlainHost, `getent -s dns ahostsv4 ${name}`],
  ])("names resolve by the fallback, within a time that is printed, %s", async (how, run, query) => {
    const started = performance.now();
    expect(await run(query)).toContain(resolvers.servers[1]);
    console.log(
      `first server off, ${how}: answered after ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  });
});

describe("npm run dns", () => {
  test("-- test: the fallback answers while the first server is silent, and no route is left", async () => {
    const { exitCode, output } = await dns("test");
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(
      /^10\.99\.0\.53 silent: name\.example\.com is 10\.99\.0\.54 by 10\.99\.0\.54, after \d+ ms$/m,
    );
    console.log(output.trim());
    expect(await routes()).toBe("");
  });

  test("-- test, killed while the first server is silent, leaves no route", async () => {
    const child = execa(nodeBinary, ["engine/dns/main.ts", "test", "--stack", instance], {
      cwd: projectRoot,
      reject: false,
      detached: true,
      stdio: "ignore",
      env: { REGWARDEN_LAB: instance },
    });
    await waitUntil("the first server is silent", 60, async () => (await routes()).includes("53530"));
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await child;
    const killed = performance.now();
    await waitUntil("no route is left", 90, async () => (await routes()) === "");
    console.log(`killed: no route left after ${((performance.now() - killed) / 1000).toFixed(1)} s`);
  });

  test("-- rollback brings back every file byte for byte, on both hosts", async () => {
    expectCode(await dns("rollback"), 0);
    expect(await files()).toBe(before);
    expectCode(await dns("rollback", "--host", "hypervisor"), 0);
    expect(await plainFile()).toBe(`${plainResolvConf}end`);
  });

  test("is not needed for that: an update without that configuration does the same, and there is no drift", async () => {
    await up();
    expect(await files()).not.toBe(before);
    await pulumi("config", "rm", "regwarden:dns");
    await up();
    isDeclared = false;
    expect(await files()).toBe(before);
    expect(await plainFile()).toBe(`${plainResolvConf}end`);
    await noDrift();
  });
});
