import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { clientFiles } from "../../lab/host/client-files.ts";
import { addressesOf, ports } from "../../lab/machine/instances.ts";
import { nodeBinary, projectRoot, stateDirectory } from "../../lab/machine/paths.ts";
import { stackStateDirectory } from "../../lab/stack/environment.ts";
import { isInFull, testInFull } from "../support/in-full.ts";
import { expectCode, noDrift, up } from "../support/lab/expected.ts";
import { privateStore } from "../support/lab/private-registry.ts";
import {
  containers,
  engine,
  instance,
  lab,
  onHost,
  pulumi,
  setSecret,
  touched,
} from "../support/lab/stack.ts";

/** What differed by hand is as declared again: checked after each test in full, else once after all of a group. */
async function healed(): Promise<void> {
  await up();
  await noDriftInFull();
}

async function noDriftInFull(): Promise<void> {
  if (isInFull) await noDrift();
}

describe("the lab", () => {
  test("is up after one command, and a second one plans no change", async () => {
    const again = await lab("up");
    expectCode(again, 0);
    expect(again.output).toContain("What to try next");
    await noDrift();
    expectCode(await lab("status"), 0);
  });

  test("is not brought up without the cluster that it has", async () => {
    const refused = await lab("up", "--no-cluster");
    expectCode(refused, 1);
    expect(refused.output).toContain("has a cluster already");
  });

  test("serves through every published port", async () => {
    const { address } = addressesOf(instance);
    for (const port of [ports.dockerhub, ports.ghcr, ports.quay, ports.k8s, ports.kyverno]) {
      expect((await fetch(`http://${address}:${port}/v2/`)).status).toBe(200);
    }
    expect(await (await fetch(`http://${address}:${ports.metrics}/metrics/private`)).text()).toContain(
      "go_goroutines",
    );
    const scan = await (await fetch(`http://${address}:${ports.metrics}/metrics/scan`)).text();
    expect(scan).toMatch(/^regwarden_scan_complete 1$/m);
    const disk = await (await fetch(`http://${address}:${ports.metrics}/metrics/disk`)).text();
    expect(disk).toMatch(/^regwarden_disk_free_bytes [1-9]\d+$/m);
    expect(disk).toMatch(/^regwarden_disk_size_bytes [1-9]\d+$/m);
  });

  test("lets skopeo pull the index that it pushed, with TLS and password, and an image through a cache", async () => {
    const { authFile, certificateDirectory, registry } = clientFiles(instance);
    const target = join(stateDirectory(instance), "pulled");
    const flags = ["--src-authfile", authFile, "--src-cert-dir", certificateDirectory];
    await execa("skopeo", [
      "copy",
      "--all",
      ...flags,
      `docker://${registry}/infra-ci:latest`,
      `oci:${target}:latest`,
    ]);
    const cached = `docker://${addressesOf(instance).address}:${ports.quay}/library/hello:1.0`;
    await execa("skopeo", ["inspect", "--raw", "--tls-verify=false", cached]);
    await expect(
      execa("skopeo", [
        "inspect",
        "--cert-dir",
        certificateDirectory,
        `docker://${registry}/infra-ci:latest`,
      ]),
    ).rejects.toThrow(/unauthorized|authentication/i);
  });

  test("protects the UI by the registry's account and refuses to delete through it", async () => {
    const { authFile, certificateDirectory, registry } = clientFiles(instance);
    const { auths } = JSON.parse(readFileSync(authFile, "utf8")) as {
      auths: Record<string, { auth: string }>;
    };
    const account = Buffer.from(auths[registry]?.auth ?? "", "base64").toString();
    const url = `https://${addressesOf(instance).address}:${ports.ui}`;
    const status = async (path: string, ...flags: string[]) => {
      const common = [
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        "--cacert",
        `${certificateDirectory}/ca.crt`,
      ];
      return (await execa("curl", [...common, ...flags, `${url}${path}`], { input: `user = "${account}"` }))
        .stdout;
    };
    expect(await status("/")).toBe("401");
    expect(await status("/", "--config", "-")).toBe("200");
    expect(await status("/v2/_catalog", "--config", "-")).toBe("200");
    expect(await status("/v2/infra-ci/manifests/latest", "--config", "-", "-X", "DELETE")).toBe("403");
  });
});

describe("drift by hand", () => {
  const drifts: [what: string, command: string, shown: RegExp][] = [
    [
      "a line in the compose file",
      "sed -i 's/restart: always/restart: no/' /opt/registry/docker-compose.yml",
      /update\s+File\s+\S*compose\s+content/,
    ],
    ["a mode", "chmod 0666 /opt/registry/nginx/nginx.conf", /update\s+File\s+\S*nginx\s+mode/],
    ["a deleted script", "rm /opt/registry/programs/regwarden.mjs", /create\s+File\s+\S*/],
    [
      "a stopped registry",
      "docker stop registry-quay",
      /update\s+ComposeProject\s+.*services\["registry-quay"\]\.state/,
    ],
    [
      "a container made from another image",
      "docker rm -f registry-ghcr && docker run -d --name registry-ghcr --network registry_registry nginx:1.28.0-alpine sleep 1000",
      /update\s+ComposeProject\s+.*services\["registry-ghcr"\]\.image/,
    ],
    [
      "a pinned name given to another image",
      "docker tag registry:2.8.3 node:24.21.0-bookworm-slim",
      /update\s+Image\s+registry-images-node\s+found/,
    ],
    [
      "a disabled timer",
      "systemctl disable --now regwarden-scan.timer",
      /update\s+SystemdUnit\s+\S+\s+.*(active.*enabled|enabled.*active)/,
    ],
    [
      "a unit drop-in",
      "mkdir -p /etc/systemd/system/regwarden-scan.service.d && printf '[Service]\\nExecStart=\\nExecStart=/bin/true\\n' >/etc/systemd/system/regwarden-scan.service.d/off.conf && systemctl daemon-reload",
      /update\s+SystemdUnit\s+\S+\s+dropIns\["\/etc\/systemd\/system\/regwarden-scan\.service\.d\/off\.conf"\]/,
    ],
  ];

  const rounds = isInFull ? drifts.map((drift) => [drift]) : [drifts];
  const named = rounds.map((round) => [round.map(([what]) => what).join(", "), round] as const);

  test.each(named)("%s: shown by name and healed by the next up", async (_what, round) => {
    for (const [, command] of round) await onHost(command);
    const drift = await engine("drift");
    expectCode(drift, 7);
    for (const [what, , shown] of round) expect(drift.output, what).toMatch(shown);
    await healed();
  });

  testInFull("of an image that was pruned is shown by name", async () => {
    const node = "node:24.21.0-bookworm-slim";
    await onHost(`docker tag ${node} kept:1 && docker rmi ${node}`);
    const drift = await engine("drift");
    await onHost(`docker tag kept:1 ${node} && docker rmi kept:1`);
    expectCode(drift, 7);
    expect(drift.output).toMatch(/create\s+Image\s+registry-images-node/);
    await noDrift();
  });

  test("of the registry's data is shown, and no update puts an empty directory in its place", async () => {
    const data = privateStore;
    await onHost(`mv ${data} ${data}.away && rm /opt/registry/nginx/nginx.conf`);
    const drift = await engine("drift");
    const failed = await engine("up", "--yes");
    const found = await onHost(`ls -d ${data} /opt/registry/nginx/nginx.conf 2>/dev/null || true`);
    await onHost(`mv ${data}.away ${data}`);
    expectCode(drift, 7);
    expect(drift.output).toMatch(/update\s+Directory\s+registry-directories-data-private\s+.*found/);
    expectCode(failed, 1);
    expect(failed.output).toMatch(
      /the data of private is not where it was: .* is gone\. Nothing was created/,
    );
    expect(found).toBe("");
    await healed();
  });

  testInFull(
    "in a mounted file, taken up by a restart, is healed in the container too, without another one",
    async () => {
      const nginxSees = "docker exec registry-nginx cat /etc/nginx/regwarden/nginx.conf";
      await onHost(
        "sed -i 's/server_tokens off/server_tokens on/' /opt/registry/nginx/nginx.conf && docker restart registry-nginx",
      );
      expect(await onHost(nginxSees)).toContain("server_tokens on;");
      const before = await containers();
      await up();
      expect(await onHost(`${nginxSees} | cmp - /opt/registry/nginx/nginx.conf && echo same`)).toBe("same");
      expect(touched(before, await containers())).toEqual([]);
      await noDrift();
    },
  );

  test("in a secret file is shown as such, and neither text is printed", async () => {
    await onHost("echo leaked-by-hand >>/opt/registry/tls/privkey.pem");
    const drift = await engine("drift");
    expectCode(drift, 7);
    expect(drift.output).toMatch(/content: \[secret\] => \[secret\]/);
    expect(drift.output).not.toContain("leaked-by-hand");
    await healed();
    expect(await pulumi("stack", "export")).not.toContain("leaked-by-hand");
  });

  test("is shown line by line in a preview, which changes nothing", async () => {
    await onHost("echo '# by hand' >>/opt/registry/nginx/nginx.conf");
    const preview = await engine("preview");
    expectCode(preview, 0);
    expect(preview.output).toMatch(/^\s+- # by hand$/m);
    expect(await onHost("tail -n 1 /opt/registry/nginx/nginx.conf")).toBe("# by hand");
    await healed();
  });

  test("that cannot be checked is exit code 1, not drift and not fine", async () => {
    await onHost("systemctl stop docker.socket docker.service");
    try {
      expectCode(await engine("drift"), 1);
    } finally {
      await onHost("systemctl start docker.service");
    }
    await healed();
  });

  test("is gone after that", noDrift);
});

describe("a change of the program", () => {
  const set = (path: string, value: string) => pulumi("config", "set", "--path", path, value);

  test("of one registry's configuration recreates that container and nothing else", async () => {
    const before = await containers();
    await set("regwarden:caches[2].username", "reader");
    await pulumi(
      "config",
      "set",
      "--secret",
      "--path",
      "regwarden:cachePasswords.quay",
      "a cache's own password",
    );
    await up();
    expect(touched(before, await containers())).toEqual(["registry-quay"]);
    expect(
      await onHost("cat /opt/registry/config-quay.yml; stat -c %a /opt/registry/config-quay.yml"),
    ).toMatch(/a cache's own password[\s\S]*\n600$/);
    await pulumi("config", "rm", "--path", "regwarden:caches[2].username");
    await pulumi("config", "rm", "regwarden:cachePasswords");
    await up();
  });

  testInFull(
    "of the directory is refused while the data lies in the old one, and nothing is made",
    async () => {
      const before = await containers();
      await set("regwarden:host.directory", "/opt/elsewhere");
      const failed = await engine("up", "--yes").finally(() =>
        pulumi("config", "rm", "--path", "regwarden:host.directory"),
      );
      expectCode(failed, 1);
      expect(failed.output).toMatch(
        /it is in \/opt\/registry\/data\/private, and no data is moved by itself/,
      );
      expect(await onHost("ls /opt/elsewhere 2>/dev/null || true")).toBe("");
      await up();
      expect(touched(before, await containers())).toEqual([]);
    },
  );

  testInFull("of a data mount that is none is refused, and nothing is changed", async () => {
    await set("regwarden:host.dataMount", "/opt/registry/data");
    await onHost("rm /opt/registry/nginx/nginx.conf");
    const failed = await engine("up", "--yes").finally(() =>
      pulumi("config", "rm", "--path", "regwarden:host.dataMount"),
    );
    expectCode(failed, 1);
    expect(failed.output).toMatch(/\/opt\/registry\/data is no mount point/);
    expect(await onHost("ls /opt/registry/nginx/nginx.conf 2>/dev/null || true")).toBe("");
    await up();
    await noDrift();
  });

  testInFull("of a published port recreates nginx alone", async () => {
    const before = await containers();
    await set("regwarden:metrics.port", "5002");
    await up().finally(() => set("regwarden:metrics.port", String(ports.metrics)));
    expect(touched(before, await containers())).toEqual(["registry-nginx"]);
    await up();
  });

  test("of a unit or a script bounces nothing", async () => {
    const before = await containers();
    await set("regwarden:scan.onCalendar", "*-*-* 04:15:00");
    await up();
    expect(await onHost("systemctl show -p TimersCalendar regwarden-scan.timer")).toContain("04:15:00");
    await pulumi("config", "rm", "regwarden:scan");
    await up();
    expect(touched(before, await containers())).toEqual([]);
  });

  testInFull("of the account, to one with passwordless sudo, changes nothing on the host", async () => {
    const before = await containers();
    await set("regwarden:host.sshUser", "deploy");
    await onHost("rm /opt/registry/nginx/nginx.conf && docker stop registry-k8s");
    await up();
    await noDrift();
    expect(touched(before, await containers())).toEqual(["registry-k8s"]);
    await set("regwarden:host.sshUser", "root");
    await up();
  });

  testInFull("of the DNS servers is taken up by systemd-resolved", async () => {
    await onHost("echo '127.0.0.1 registry.lab.test' >>/etc/hosts");
    await set("regwarden:dns.servers[0]", "127.0.0.11");
    await up();
    // The host's only server is this one anyway; the domain shows that the drop-in counts.
    expect(await onHost("resolvectl domain")).toMatch(/^Global: ~\.$/m);
    await noDrift();
    await pulumi("config", "rm", "regwarden:dns");
    await up();
    expect(await onHost("ls /etc/systemd/resolved.conf.d 2>/dev/null || true")).toBe("");
    expect(await onHost("resolvectl domain")).not.toMatch(/^Global: ~\.$/m);
  });

  testInFull(
    "beside a job of the host that breaks tags fails, and names its file, line and command",
    async () => {
      const command =
        "docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml";
      await onHost(
        `mkdir -p /etc/cron.d && printf '# weekly\\n25 3 * * 0 root ${command}\\n' >/etc/cron.d/registry-gc`,
      );
      await pulumi("config", "set", "--path", "regwarden:scan.onCalendar", "*-*-* 05:45:00");
      const failed = await engine("up", "--yes");
      expectCode(failed, 1);
      expect(failed.output).toContain(`/etc/cron.d/registry-gc:2: 25 3 * * 0 root ${command}`);
      await onHost("rm /etc/cron.d/registry-gc");
      await pulumi("config", "rm", "regwarden:scan");
      await up();
    },
  );

  test("that the deployment check rejects fails the update and says what to do", async () => {
    await onHost(
      "mkdir /opt/registry/data/private/docker/registry/v2/repositories/secretive && chmod 0700 /opt/registry/data/private/docker/registry/v2/repositories/secretive; systemctl start regwarden-scan.service || true",
    );
    await pulumi("config", "set", "--path", "regwarden:scan.onCalendar", "*-*-* 05:15:00");
    const failed = await engine("up", "--yes");
    expectCode(failed, 1);
    expect(failed.output).toMatch(/the scan could not check/);
    await onHost("rmdir /opt/registry/data/private/docker/registry/v2/repositories/secretive");
    await pulumi("config", "rm", "regwarden:scan");
    await up();
    await noDrift();
  });
});

describe("an update that is killed", () => {
  test.each(isInFull ? [1500, 4000, 8000] : [4000])(
    "after %i ms ends well when it is run again",
    async (milliseconds) => {
      await onHost(
        "docker rm -f registry-k8s registry-nginx && rm /opt/registry/nginx/nginx.conf && systemctl disable --now regwarden-scan.timer",
      );
      const child = execa(nodeBinary, ["engine/main.ts", "up", "--stack", instance, "--yes"], {
        cwd: projectRoot,
        reject: false,
        detached: true,
        stdio: "ignore",
      });
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await child;
      await up();
      const drift = await engine("drift");
      expectCode(drift, 0);
      expect(drift.output).not.toContain("pending operations");
    },
  );
});

describe("a state beside which a killed update left an empty note", () => {
  testInFull("cannot be checked, and is repaired by the next up", async () => {
    const state = join(stackStateDirectory(instance), `.pulumi/stacks/regwarden/${instance}.json`);
    const note = `${state}.attrs`;
    writeFileSync(note, "");
    expectCode(await engine("drift"), 1);
    expect(existsSync(note)).toBe(true);
    const repaired = await engine("up", "--yes");
    expectCode(repaired, 0);
    expect(repaired.output).toContain(`removed ${note}`);
    expect([existsSync(note), existsSync(state)]).toEqual([false, true]);
    await noDrift();
  });
});

describe("bad input", () => {
  test("is refused with all faults at once, by name, and changes nothing", async () => {
    const before = await containers();
    await pulumi("config", "set", "regwarden:hots", "x");
    await pulumi("config", "set", "--path", "regwarden:ui.port", "70000");
    await pulumi("config", "set", "--path", "regwarden:caches[1].port", String(ports.dockerhub));
    await pulumi("config", "set", "--path", "regwarden:images.nginx", "nginx:latest");
    const password = await pulumi("config", "get", "regwarden:registryPassword");
    await pulumi("config", "rm", "regwarden:registryPassword");
    const refused = await engine("up", "--yes");
    expectCode(refused, 1);
    for (const fault of [
      "hots",
      "ui.port",
      "70000",
      "caches[1].port",
      "nginx:latest",
      "registryPassword",
      "pulumi config set --secret",
    ]) {
      expect(refused.output).toContain(fault);
    }
    expect(refused.output.match(/^ *must be: /gm), "each fault once").toHaveLength(5);
    // Nothing that the program did not come to is taken for something that is to go.
    expect(refused.output).not.toMatch(/delet/i);
    await pulumi("config", "rm", "regwarden:hots");
    await pulumi("config", "set", "--path", "regwarden:ui.port", String(ports.ui));
    await pulumi("config", "set", "--path", "regwarden:caches[1].port", String(ports.ghcr));
    await pulumi("config", "set", "--path", "regwarden:images.nginx", "nginx:1.28.0-alpine");
    await setSecret("registryPassword", password);
    await noDriftInFull();
    expect(touched(before, await containers())).toEqual([]);
  });

  test.each([
    [
      "regwarden:host.hostKey",
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJN0yWcZ7WmF1b3Xk0rcn1Q2v4Tg6Hs8Ld0Pz2Yx4Kw6",
      /host key does not match, nothing was sent/,
    ],
    ["regwarden:host.sshPort", "2", /cannot connect: .*ECONNREFUSED/],
  ])("a wrong %s is one clear message, and nothing is changed", async (path, wrong, message) => {
    const right = await pulumi("config", "get", "--path", path);
    await pulumi("config", "set", "--path", path, wrong);
    const refused = await engine("up", "--yes").finally(() => pulumi("config", "set", "--path", path, right));
    expectCode(refused, 1);
    expect(refused.output).toMatch(message);
    await noDriftInFull();
  });

  test("a new SSH key is no drift and changes nothing, and one that the host does not know is refused", async () => {
    const key = join(stateDirectory(instance), "other-key");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    const right = await pulumi("config", "get", "regwarden:sshPrivateKey");
    await setSecret("sshPrivateKey", readFileSync(key, "utf8"));
    const refused = await engine("drift");
    expectCode(refused, 1);
    expect(refused.output).toMatch(/does not accept the SSH key/);
    await onHost(`echo '${readFileSync(`${key}.pub`, "utf8").trim()}' >>/root/.ssh/authorized_keys`);
    const before = await containers();
    // The provider and each Command hold the old one until the next update: that is a rotation and no drift.
    await noDrift();
    await up();
    expect(touched(before, await containers())).toEqual([]);
    await setSecret("sshPrivateKey", right);
    await up();
  });
});
