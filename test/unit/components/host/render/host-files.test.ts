import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  accessLogTimer,
  accessLogUnit,
  rotateAccessLogScript,
} from "../../../../../components/host/render/access-log-units.ts";
import {
  backUpScript,
  backupKnownHosts,
  backupTimer,
  backupUnit,
} from "../../../../../components/host/render/backup-units.ts";
import { breakGlassTimer, breakGlassUnit } from "../../../../../components/host/render/break-glass-units.ts";
import {
  certificatePath,
  certificateTimer,
  certificateUnit,
  takeCertificateScript,
} from "../../../../../components/host/render/certificate-units.ts";
import { checkConfig } from "../../../../../components/host/render/check-config.ts";
import { diskTimer, diskUnit } from "../../../../../components/host/render/disk-units.ts";
import { dnsCommand } from "../../../../../components/host/render/dns-command.ts";
import { launcherScript } from "../../../../../components/host/render/launcher.ts";
import {
  collectUnit,
  maintenanceTimer,
  markUnit,
  purgeUnit,
  restoreUnit,
  retainUnit,
} from "../../../../../components/host/render/maintenance-units.ts";
import { nginxConfig } from "../../../../../components/host/render/nginx-config.ts";
import { refuseResolvedScript, resolvConf } from "../../../../../components/host/render/resolv-conf.ts";
import { resolvedConfig } from "../../../../../components/host/render/resolved.ts";
import { revision, secretFingerprint } from "../../../../../components/host/render/revision.ts";
import {
  checkDeploymentScript,
  reloadNginxScript,
  resolveScript,
  restartResolvedScript,
  scanStoreScript,
  seedSentinelScript,
} from "../../../../../components/host/render/scripts.ts";
import { bootUnit, scanTimer, scanUnit } from "../../../../../components/host/render/units.ts";
import { validateNginx } from "../../../../../components/host/render/validate.ts";
import type { RegistrySettings } from "../../../../../components/host/settings.ts";
import { SETTINGS } from "../../../../support/program-stack/settings.ts";

const TLS_ON_HOST = {
  certificate: "/etc/letsencrypt/live/registry.example.com/fullchain.pem",
  privateKey: "/etc/letsencrypt/live/registry.example.com/privkey.pem",
};
/** Where what would go goes, and the cluster's images are known. */
const APPLIED: RegistrySettings = {
  ...SETTINGS,
  retention: { ...SETTINGS.retention, mode: "apply" },
  collection: { ...SETTINGS.collection, mode: "apply" },
  inUseAs: "registry.example.com:5050",
};
const CA = "/opt/registry/tls/fullchain.pem";
const SCRIPTS: [file: string, text: string][] = [
  ["nginx-reload.sh", reloadNginxScript()],
  ["scan-store.sh", scanStoreScript()],
  ["seed-sentinel.sh", seedSentinelScript(SETTINGS, CA)],
  ["check-deployment.sh", checkDeploymentScript(SETTINGS, CA)],
  ["resolved-restart.sh", restartResolvedScript("registry.example.com")],
  ["resolv-conf-check.sh", resolveScript("registry.example.com")],
];
const DNS = { servers: ["10.0.20.1", "94.140.14.14"], searchDomains: ["example.lan"] };
const DNS_COMMAND = { servers: DNS.servers, name: "registry.example.com", configKey: "regwarden:dns" };

const BACKUP = {
  address: "10.0.20.30",
  sshPort: 22,
  sshUser: "registry-backup",
  hostKey: "ssh-ed25519 AAAAC3Nz",
  directory: "/srv/registry-backup",
  onCalendar: "*-*-* 04:30:00",
};

const BREAK_GLASS = {
  images: ["infra-ci:latest", "team/base:1.4"],
  directory: "/var/backups/regwarden/break-glass",
  onCalendar: "*-*-* 04:30:00",
};

test("the other machine's key is known under its port, where that is another", () => {
  expect(backupKnownHosts(BACKUP)).toBe("10.0.20.30 ssh-ed25519 AAAAC3Nz\n");
  expect(backupKnownHosts({ ...BACKUP, sshPort: 2222 })).toBe("[10.0.20.30]:2222 ssh-ed25519 AAAAC3Nz\n");
});

test("metrics of copies are served where copies are made", () => {
  const location = "location = /metrics/backup {";
  expect(nginxConfig({ ...SETTINGS, backup: BACKUP })).toContain(location);
  expect(nginxConfig(SETTINGS)).not.toContain(location);
  const ofImages = "location = /metrics/break-glass {";
  expect(nginxConfig({ ...SETTINGS, breakGlass: BREAK_GLASS })).toContain(ofImages);
  expect(nginxConfig(SETTINGS)).not.toContain(ofImages);
});

describe("files on the host", () => {
  test.each([
    ["docker-compose-registry.service", bootUnit(SETTINGS)],
    ["regwarden-scan.service", scanUnit(SETTINGS)],
    ["regwarden-scan.timer", scanTimer(SETTINGS)],
    ["10-internal-dns.conf", resolvedConfig(DNS)],
    ["resolv.conf", resolvConf(DNS)],
    ["regwarden-dns", dnsCommand({ kind: "resolved", ...DNS_COMMAND })],
    ["check-deployment.json", checkConfig(SETTINGS, "builder")],
    ["regwarden.sh", launcherScript(SETTINGS)],
    ["regwarden-disk.service", diskUnit(SETTINGS)],
    ["regwarden-disk.timer", diskTimer()],
    ["regwarden-retain.service", retainUnit(SETTINGS)],
    ["regwarden-retain.timer", maintenanceTimer("Daily retention", "*-*-* 02:00:00")],
    ["regwarden-mark.service", markUnit(SETTINGS)],
    ["regwarden-collect.service", collectUnit(APPLIED)],
    ["regwarden-collect-plan.service", collectUnit(SETTINGS)],
    ["regwarden-purge.service", purgeUnit(APPLIED)],
    ["regwarden-restore.service", restoreUnit(APPLIED)],
    ["regwarden-access-log.service", accessLogUnit(SETTINGS)],
    ["regwarden-access-log.timer", accessLogTimer()],
    ["rotate-access-log.sh", rotateAccessLogScript()],
    ["take-certificate.sh", takeCertificateScript(SETTINGS, TLS_ON_HOST)],
    ["regwarden-certificate.service", certificateUnit(SETTINGS)],
    ["regwarden-certificate.path", certificatePath(TLS_ON_HOST)],
    ["regwarden-certificate.timer", certificateTimer()],
    ["back-up-store.sh", backUpScript(SETTINGS, BACKUP)],
    ["regwarden-backup.service", backupUnit(SETTINGS)],
    ["regwarden-backup.timer", backupTimer(BACKUP)],
    ["regwarden-break-glass.service", breakGlassUnit(SETTINGS, BREAK_GLASS)],
    ["regwarden-break-glass.timer", breakGlassTimer(BREAK_GLASS)],
    ...SCRIPTS,
  ])("read as expected: %s", async (file, text) => {
    await expect(text).toMatchFileSnapshot(`../../../../component/rendered/${file}`);
  });
});

describe("units", () => {
  test("stop no container when the boot unit is restarted", () => {
    expect(bootUnit(SETTINGS)).not.toContain("ExecStop");
  });

  test("scan without network, and can write the report and nothing else", () => {
    const unit = scanUnit(SETTINGS);
    expect(unit).toContain("--pull never --network none --read-only");
    const volumes = [...unit.matchAll(/--volume (\S+)/g)].map(([, volume]) => volume);
    expect(volumes.filter((volume) => !volume?.endsWith(":ro"))).toEqual(["/var/lib/regwarden:/report"]);
  });

  test("mark, collect and purge by the same list of images in use, rules and times", () => {
    const goBy = (unit: string) =>
      /gc (\/\S+ --registry .* --instance \S+)/.exec(unit.replaceAll(/\s*\\\n\s*/g, " "))?.[1] ?? "none";
    const [mark, ...others] = [markUnit, collectUnit, purgeUnit].map((unit) => goBy(unit(APPLIED)));
    expect(mark).toMatch(/--rules \S+ --in-use tag:private\/regwarden\/in-use:latest/);
    expect(others).toEqual([mark, mark]);
  });

  test("change nothing of the data while nothing is to go, but for the ledger of a mark", () => {
    const written = (unit: string) =>
      [...unit.matchAll(/--volume (\S+)/g)].flatMap(([, volume = ""]) =>
        volume.endsWith(":ro") ? [] : [volume],
      );
    const report = "/var/lib/regwarden:/report";
    const ledger = "/opt/registry/data/.regwarden:/opt/registry/data/.regwarden";
    expect(written(retainUnit(SETTINGS))).toEqual([report]);
    // Each of a unit's programs, and the purge has two.
    for (const unit of [markUnit(SETTINGS), markUnit(APPLIED), collectUnit(SETTINGS), purgeUnit(SETTINGS)])
      expect([...new Set(written(unit))]).toEqual([ledger, report]);
    for (const unit of [retainUnit(SETTINGS), collectUnit(SETTINGS), markUnit(APPLIED), purgeUnit(SETTINGS)])
      expect(unit).not.toMatch(/--apply|--freeze/);
  });

  test.each([
    ["a retention", retainUnit, "regwarden-retain"],
    ["a collection", collectUnit, "regwarden-collect"],
  ])("let writes go on whatever ends %s, once no container can hold them", (_, unit, container) => {
    const after = [...unit(APPLIED).matchAll(/^ExecStopPost=(.*)$/gm)].map(([, command]) => command);
    expect(after).toEqual([
      expect.stringContaining(`docker rm --force ${container} `),
      expect.stringMatching(
        /docker top regwarden-retain .* docker top regwarden-collect .* rm -f \/run\/regwarden\/freeze\/flag"$/,
      ),
    ]);
    expect(unit(APPLIED)).toContain(
      "--freeze /run/regwarden/freeze/flag --freeze-status http://registry-nginx:5001/freeze",
    );
    expect(unit(SETTINGS)).not.toContain("freeze");
  });

  test("fail on what a run refuses to remove, and not on a plan", () => {
    for (const unit of [retainUnit, collectUnit, purgeUnit]) {
      expect(unit(SETTINGS)).toContain("SuccessExitStatus=1\n");
      expect(unit(APPLIED)).not.toContain("SuccessExitStatus");
    }
  });

  test("move things within the file system of the data, wherever that is mounted", () => {
    const dataMount = "/opt/registry/data/private";
    expect(collectUnit({ ...APPLIED, dataMount })).toContain(
      "gc /opt/registry/data/private --registry private ",
    );
    expect(collectUnit(APPLIED)).toContain("gc /opt/registry/data --registry private ");
  });

  test("keep an exit code of 1 as a failure, for systemctl --failed", () => {
    expect(scanUnit(SETTINGS)).not.toMatch(/SuccessExitStatus|ExecStart=-/);
  });
});

describe("DNS", () => {
  test("names every server in DNS=, as resolved never falls back to FallbackDNS= when it has one", () => {
    const text = resolvedConfig({ servers: ["10.0.20.1", "94.140.14.14"], searchDomains: [] });
    expect(text).toContain("DNS=10.0.20.1 94.140.14.14\nDomains=~.\n");
    expect(text).not.toContain("FallbackDNS");
  });

  test("without search domains has no line for them in resolv.conf", () => {
    expect(resolvConf({ servers: ["10.0.20.1"], searchDomains: [] })).not.toContain("search");
  });

  test.each(["resolved", "resolvConf"] as const)("has a command that parses, on a host with %s", (kind) => {
    const input = dnsCommand({ kind, ...DNS_COMMAND });
    expect(() => execFileSync("/bin/sh", ["-n"], { input, stdio: "pipe" })).not.toThrow();
  });

  test("is refused as a file where resolv.conf is a link of systemd-resolved", () => {
    const inPlaceOf = (target: string) =>
      refuseResolvedScript().replace(/\$\(readlink [^)]*\)/, `$(echo ${target})`);
    const run = (script: string) => execFileSync("/bin/sh", ["-c", script], { stdio: "pipe" });
    expect(() => run(inPlaceOf("../run/systemd/resolve/stub-resolv.conf"))).toThrow(/set kind to resolved/);
    expect(() => run(inPlaceOf(""))).not.toThrow();
  });
});

describe("scripts", () => {
  test.each(SCRIPTS)("are shell that parses: %s", (_, script) => {
    expect(() => execFileSync("/bin/sh", ["-n"], { input: script, stdio: "pipe" })).not.toThrow();
  });

  test("stop at the first failure", () => {
    for (const [, script] of SCRIPTS) expect(script).toMatch(/^set -eu\n/);
  });

  test("reach the registry by its name, on the address that it listens on", () => {
    const script = checkDeploymentScript({ ...SETTINGS, listenAddress: "10.0.20.10" }, CA);
    expect(script).toContain("--add-host registry.example.com:10.0.20.10");
    expect(checkConfig({ ...SETTINGS, listenAddress: "10.0.20.10" }, "builder")).toContain(
      "http://10.0.20.10:5000",
    );
  });

  test("let a person collect with writes held, and without typing how", async () => {
    const directory = mkdtempSync(join(tmpdir(), "regwarden-launcher-"));
    writeFileSync(join(directory, "docker"), '#!/bin/sh\nprintf "%s\\n" "$@"\n', { mode: 0o755 });
    const run = (...args: string[]) =>
      execFileSync("/bin/sh", ["-c", launcherScript(SETTINGS), "regwarden", ...args], {
        env: { PATH: `${directory}:/usr/bin:/bin` },
        encoding: "utf8",
      }).split("\n");
    const freeze = [
      "--freeze",
      "/run/regwarden/freeze/flag",
      "--freeze-status",
      "http://127.0.0.1:5001/freeze",
    ];
    expect(run("gc", "/opt/registry/data", "--apply")).toEqual(expect.arrayContaining(freeze));
    expect(run("gc", "/opt/registry/data", "--apply")).toContain("/opt/registry/data:/opt/registry/data:rw");
    for (const args of [["--apply", "--offline"], ["--undo", "1", "--apply"], []])
      expect(run("gc", "/opt/registry/data", ...args)).not.toContain("--freeze");
    expect(run("scan", "/opt/registry/data")).toContain("/opt/registry/data:/opt/registry/data:ro");
  });

  test("check nginx.conf in the image that it will run in", () => {
    expect(validateNginx(SETTINGS)).toMatch(/--network none .* nginx:1\.28\.0-alpine nginx -t$/);
  });
});

describe("fingerprints", () => {
  test("do not depend on the order of the mounted files", () => {
    expect(revision({ image: "a" }, { x: "1", y: "2" })).toBe(revision({ image: "a" }, { y: "2", x: "1" }));
  });

  test("of secrets are stable, differ by path and text, and hold nothing of the text", () => {
    const one = secretFingerprint("/a", "password");
    expect(one).toBe(secretFingerprint("/a", "password"));
    expect(
      new Set([one, secretFingerprint("/b", "password"), secretFingerprint("/a", "passwort")]).size,
    ).toBe(3);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe("the command on the host", () => {
  /** What the launcher hands to Docker, without Docker. */
  function dockerArguments(...argv: string[]): string {
    const script = launcherScript(SETTINGS).replace("exec docker run", "exec echo");
    return execFileSync("sh", ["-c", script, "regwarden", ...argv], { encoding: "utf8" });
  }

  test("only reads, as an account that owns nothing, whatever it is asked", () => {
    for (const command of ["scan", "probe", "verify", "repair-not"]) {
      const given = dockerArguments(command, "/opt/registry/data");
      expect(given).toContain("--volume /opt/registry/data:/opt/registry/data:ro");
      expect(given).toContain("--user 65532:65532");
    }
    expect(dockerArguments()).toContain(":ro");
  });

  test("writes as the store's owner when it repairs, and passes every word on as it is", () => {
    const given = dockerArguments("repair", "/opt/registry/data", "--from", "a b");
    expect(given).toContain("--volume /opt/registry/data:/opt/registry/data:rw");
    expect(given).toContain("--user 0:0");
    expect(given.trimEnd()).toMatch(
      /node \/regwarden\.mjs repair --instance registry\.example\.com:5050 \/opt\/registry\/data --from a b$/,
    );
  });
});
