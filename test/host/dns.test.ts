import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dnsCommand } from "../../components/host/render/dns-command.ts";
import { resolvConf } from "../../components/host/render/resolv-conf.ts";
import { resolvedConfig } from "../../components/host/render/resolved.ts";
import { dnsPaths } from "../../contract/dns.ts";
import { HostError } from "../../provider/errors.ts";
import { file } from "../../provider/kinds/file.ts";
import { netplanDns } from "../../provider/kinds/netplan-dns.ts";
import { planDeviceDns } from "../../provider/netplan/plan.ts";
import { readNetplan, switchNetplan } from "../../provider/remote/netplan.ts";
import type { SshHost } from "../../provider/ssh/host.ts";
import { cloudInit, type Resolvers, startResolvers } from "../support/lab/resolvers.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

const name = "name.example.com";
const netplanFile = "/etc/netplan/50-cloud-init.yaml";
let host: TestHost;
let resolvers: Resolvers;

beforeAll(async () => {
  host = await testHost();
});
beforeEach(async () => {
  await host.sh(
    `rm -f ${dnsPaths.dropIn}; systemctl reset-failed systemd-resolved; systemctl restart systemd-resolved`,
  );
  resolvers = await startResolvers(host);
});
afterAll(async () => {
  await host.sh(`rm -f ${dnsPaths.dropIn} ${dnsPaths.command}; systemctl restart systemd-resolved`);
  await resolvers.clear();
});

const declared = () => ({
  device: resolvers.device,
  servers: [...resolvers.servers],
  searchDomains: ["example.lan"],
  name,
  takesFromDhcp: false,
  runs: "as in the files",
});
const recorded = (inputs: ReturnType<typeof declared>, outputs: object = {}) => ({
  inputs,
  outputs: { ...inputs, ...outputs },
});
const read = async () => (await netplanDns.read(host.root, resolvers.device, recorded(declared())))?.inputs;
const text = (path: string) => host.sh(`cat ${path} && echo .`).then((found) => found.slice(0, -1));
const exitOf = async (command: string) => await host.lab.exec(command);

async function putCommand(kind: "resolved" | "resolvConf" = "resolved"): Promise<void> {
  const content = dnsCommand({ kind, servers: resolvers.servers, name, configKey: "regwarden:dns" });
  const owned = { owner: "root", group: "root", type: "file" };
  await file.create(host.root, { path: dnsPaths.command, content, mode: "0755", ...owned });
  await host.sh(`${dnsPaths.command} backup`);
}

async function putDropIn(): Promise<void> {
  await host.sh(`mkdir -p ${dnsPaths.dropInDirectory}`);
  const content = resolvedConfig({ servers: resolvers.servers, searchDomains: ["example.lan"] });
  const owned = { mode: "0644", owner: "root", group: "root", type: "file" };
  await file.create(host.root, { path: dnsPaths.dropIn, content, ...owned });
  await host.sh("systemctl restart systemd-resolved");
}

describe("name servers in netplan", () => {
  test("are changed in the file that names them, apply, and are read back as declared", async () => {
    await netplanDns.create(host.root, declared());
    expect(await host.sh(`resolvectl dns ${resolvers.device}`)).toContain(resolvers.servers.join(" "));
    expect(await read()).toEqual(declared());
    expect(await text(netplanFile)).toContain("            # of the provider\n            nameservers:\n");
    expect(
      await host.sh(`stat -c %a ${netplanFile}; ls /etc/netplan; ls /run | grep -c regwarden || true`),
    ).toBe("600\n50-cloud-init.yaml\n0");
  });

  test("that another file adds are drift by name, and so are those that were set by hand", async () => {
    await netplanDns.create(host.root, declared());
    await host.sh(`resolvectl dns ${resolvers.device} 192.0.2.1`);
    expect(await read()).toMatchObject({ servers: declared().servers, runs: "192.0.2.1; example.lan" });
    await netplanDns.update(host.root, resolvers.device, recorded(declared(), { written: {} }), declared());
    expect(await read()).toEqual(declared());
    await host.sh(
      `umask 077; printf 'network:\\n  ethernets:\\n    ${resolvers.device}:\\n      nameservers:\\n        addresses: [192.0.2.7]\\n' >/etc/netplan/70-more.yaml`,
    );
    expect(await read()).toMatchObject({ servers: [...resolvers.servers, "192.0.2.7"] });
  });

  test("that do not resolve leave the old file, byte for byte, and the old servers", async () => {
    const wrong = { ...declared(), servers: ["10.99.0.77"], name: "nowhere.invalid" };
    await host.sh(`systemctl stop resolver-${resolvers.servers[1]}`);
    await expect(netplanDns.create(host.root, wrong)).rejects.toThrow(
      /does not resolve[\s\S]*old files of netplan are back/,
    );
    expect(await text(netplanFile)).toBe(cloudInit);
    expect(await host.sh(`resolvectl dns ${resolvers.device}`)).toContain(`: ${resolvers.servers[1]}`);
  });

  test("that nothing confirms are taken back by the host itself", async () => {
    const { files } = await readNetplan(host.root, resolvers.device);
    const change = planDeviceDns(files, resolvers.device, declared());
    const gone = {
      run: () => Promise.reject(new HostError("E_HOST_UNREACHABLE", "gone.")),
      close: async () => {},
    };
    const cutOff = {
      run: host.root.run.bind(host.root),
      anew: () => gone as unknown as SshHost,
    } as unknown as SshHost;
    const request = { device: resolvers.device, change, servers: resolvers.servers, name };
    await expect(switchNetplan(cutOff, request)).rejects.toThrow(
      /the host puts the old ones back within 90 seconds/,
    );
    expect(await text(netplanFile)).not.toBe(cloudInit);
    expect(await host.sh("systemctl is-active regwarden-netplan-rollback.timer")).toBe("active");
    // What the timer starts.
    await host.sh(
      "systemctl start regwarden-netplan-rollback.service; for second in $(seq 30); do [ -e /run/regwarden-netplan ] || exit 0; sleep 1; done; exit 1",
    );
    expect(await text(netplanFile)).toBe(cloudInit);
    expect(await host.sh(`resolvectl dns ${resolvers.device}`)).toContain(`: ${resolvers.servers[1]}`);
  });

  test("are not changed together with what waits to be applied", async () => {
    await host.sh(`sed -i s,10.99.0.2/24,10.99.0.3/24, ${netplanFile}`);
    const before = await text(netplanFile);
    await expect(netplanDns.create(host.root, declared())).rejects.toThrow(
      /applying them would apply that too[\s\S]*10\.99\.0\.3/,
    );
    expect(await text(netplanFile)).toBe(before);
  });

  test("are not changed together with a new key of WireGuard, which is not printed", async () => {
    const key = "4GgaQCy68nzNsUE5aJ9fuLzHhB65tAlwbmA72MWnOm8=";
    await host.sh(
      `printf '    tunnels:\n        wg0:\n            mode: wireguard\n            key: ${key}\n' >>${netplanFile}`,
    );
    const refused = await netplanDns.create(host.root, declared()).catch((error: unknown) => String(error));
    expect(refused).toMatch(/applying them would apply that too[\s\S]*PrivateKey=\(hidden\)/);
    expect(refused).not.toContain(key);
  });

  test("come back byte for byte when the resource goes", async () => {
    await putCommand();
    const { outputs } = await netplanDns.create(host.root, declared());
    expect(
      await netplanDns.remove(host.root, resolvers.device, recorded(declared(), outputs)),
    ).toBeUndefined();
    expect(await text(netplanFile)).toBe(cloudInit);
    expect(await read()).toMatchObject({ servers: [resolvers.servers[1]], runs: "as in the files" });
  });
});

describe("regwarden-dns", () => {
  test("test: the fallback answers while the first server is silent, and the time is printed", async () => {
    await putCommand();
    await putDropIn();
    const { stdout, stderr, exitCode } = await exitOf(`${dnsPaths.command} test`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    const [, milliseconds] =
      /^10\.99\.0\.53 silent: name\.example\.com is 10\.99\.0\.54 by 10\.99\.0\.54, after (\d+) ms$/m.exec(
        stdout,
      ) ?? [];
    console.log(`first server silent: answered after ${milliseconds} ms`);
    expect(Number(milliseconds)).toBeGreaterThan(1000);
    expect(await host.sh("ip rule; ip route show table 53530")).not.toMatch(/5353/);
    expect((await exitOf(`${dnsPaths.command} status`)).stdout).toContain(`${name} is 10.99.0.53, after`);
  });

  test.each(["0.2", "1", "3"])(
    "test, killed after %s seconds, leaves no route and no rule",
    async (seconds) => {
      await putCommand();
      await putDropIn();
      const going = exitOf(`${dnsPaths.command} test`);
      await host.sh(`sleep ${seconds}; systemctl kill --signal KILL regwarden-dns-test.service`);
      expect((await going).exitCode).not.toBe(0);
      await host.sh(
        `for second in $(seq 20); do [ -z "$(ip rule list pref 5353)$(ip route show table 53530)" ] && exit 0; sleep 1; done; ip rule >&2; exit 1`,
      );
    },
  );

  test("test: says that the fallback does not answer, and that it could not try without one", async () => {
    await putCommand();
    await putDropIn();
    await host.sh(`systemctl stop resolver-${resolvers.servers[1]}`);
    expect(await exitOf(`${dnsPaths.command} test`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("the fallback (10.99.0.54) did not answer"),
    });
    await host.sh(`sed -i "s/^servers=.*/servers='10.99.0.53'/" ${dnsPaths.command}`);
    expect((await exitOf(`${dnsPaths.command} test`)).exitCode).toBe(3);
  });

  test("rollback: brings back every file byte for byte, and a second one changes nothing", async () => {
    await putCommand();
    const before = await host.sh(
      "find /etc/netplan /etc/systemd/resolved.conf.d -type f -exec sha256sum {} + -exec stat -c '%n %a %U' {} +",
    );
    await putDropIn();
    await netplanDns.create(host.root, declared());
    const { stdout, exitCode, stderr } = await exitOf(`${dnsPaths.command} rollback`);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("take regwarden:dns out of the stack's configuration");
    expect(await text(netplanFile)).toBe(cloudInit);
    expect(
      await host.sh(
        "find /etc/netplan /etc/systemd/resolved.conf.d -type f -exec sha256sum {} + -exec stat -c '%n %a %U' {} +",
      ),
    ).toBe(before);
    expect(await read()).toMatchObject({ servers: [resolvers.servers[1]], runs: "as in the files" });
    expect((await exitOf(`${dnsPaths.command} rollback`)).stdout).toContain("Nothing was changed.");
  });

  test("rollback: refuses to undo what else was changed in the file since", async () => {
    await putCommand();
    await netplanDns.create(host.root, declared());
    await host.sh(`sed -i s,10.99.0.2/24,10.99.0.4/24, ${netplanFile}; netplan apply`);
    const now = await text(netplanFile);
    expect(await exitOf(`${dnsPaths.command} rollback`)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("10.99.0.4"),
    });
    expect(await text(netplanFile)).toBe(now);
  });

  test("keeps the state before the first change, whatever comes later", async () => {
    await putCommand();
    await netplanDns.create(host.root, declared());
    await host.sh(`${dnsPaths.command} backup`);
    expect(await text(`/var/backups/regwarden/dns/before/files${netplanFile}`)).toBe(cloudInit);
  });
});

describe("the first server's process ends", () => {
  test("names resolve by the fallback, within a time that is printed, with resolved", async () => {
    await putDropIn();
    await netplanDns.create(host.root, declared());
    await resolvers.stopFirst();
    const started = Date.now();
    expect(await host.sh(`resolvectl flush-caches; resolvectl query --legend=no -4 ${name}`)).toContain(
      "10.99.0.54",
    );
    console.log(`first server ended, resolved: answered after ${Date.now() - started} ms`);
  });

  test("names resolve by the fallback, within a time that is printed, with a plain resolv.conf", async () => {
    const content = resolvConf({ servers: resolvers.servers, searchDomains: [] });
    // Docker mounts its own over the file; the test's lies in a mount of its own too, and goes with it.
    await resolvers.stopFirst();
    const started = Date.now();
    const answer = await host.sh(
      `printf '${content.replaceAll("\n", "\\n")}' >/run/test-resolv.conf; unshare --mount sh -c 'mount --bind /run/test-resolv.conf /etc/resolv.conf; getent -s dns ahostsv4 ${name}'`,
    );
    expect(answer).toContain("10.99.0.54");
    console.log(`first server ended, resolv.conf: answered after ${Date.now() - started} ms`);
  });
});
