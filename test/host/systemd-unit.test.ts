import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemdUnit } from "../../provider/kinds/systemd-unit.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const name = "unit-test.timer";
const content =
  "[Unit]\nDescription=Test\n\n[Timer]\nOnCalendar=*-*-* 02:30:00\n\n[Install]\nWantedBy=timers.target\n";
const declared = {
  name,
  content,
  enabled: true,
  active: true,
  restartOnChange: true,
  backupDirectory: "/var/backups/unit-test",
  mode: "0644",
  type: "file",
  dropIns: {},
  loaded: "as on disk",
};
const recordOf = <T extends object>(inputs: T) => ({ inputs, outputs: { ...inputs } });
const read = async () => (await systemdUnit.read(host.root, name, recordOf(declared)))?.inputs;
const heal = async () => {
  const found = await read();
  await systemdUnit.update(host.root, name, recordOf({ ...declared, ...found }), declared);
  expect(await read()).toEqual(declared);
};

beforeAll(async () => {
  host = await testHost();
  await host.sh(
    "printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n' >/etc/systemd/system/unit-test.service",
  );
});
beforeEach(async () => {
  await host.sh(
    `rm -rf /var/backups/unit-test /etc/systemd/system/${name} /etc/systemd/system/${name}.d; systemctl daemon-reload`,
  );
  await systemdUnit.create(host.root, declared);
});

describe("a unit", () => {
  test("is enabled and active after its creation, and reads back as declared", async () => {
    expect(await host.sh(`systemctl is-enabled ${name}; systemctl is-active ${name}`)).toBe(
      "enabled\nactive",
    );
    expect(await read()).toEqual(declared);
  });

  test("shows an edit, also one that systemd has not loaded, and heals it", async () => {
    await host.sh(`sed -i s/02:30/04:30/ /etc/systemd/system/${name}`);
    expect(await read()).toMatchObject({
      content: content.replace("02:30", "04:30"),
      loaded: "daemon-reload pending",
    });
    await heal();
    expect(await host.sh(`systemctl show -p TimersCalendar ${name}`)).toContain("02:30:00");
  });

  test("shows a disabled and stopped timer and heals it", async () => {
    await host.sh(`systemctl disable --now ${name}`);
    expect(await read()).toMatchObject({ enabled: false, active: false });
    await heal();
  });

  test("shows a masked unit and heals it", async () => {
    await host.sh(`systemctl stop ${name}; rm /etc/systemd/system/${name}; systemctl mask ${name}`);
    expect(await read()).toMatchObject({ type: "symbolic link to /dev/null", enabled: false });
    await heal();
  });

  test("shows a drop-in with its text; healing moves it into the backup directory", async () => {
    const path = `/etc/systemd/system/${name}.d/override.conf`;
    await host.sh(
      `mkdir -p ${path.replace(/\/[^/]*$/, "")} && printf '[Timer]\\nRandomizedDelaySec=9h\\n' >${path} && systemctl daemon-reload`,
    );
    expect(await read()).toMatchObject({ dropIns: { [path]: "[Timer]\nRandomizedDelaySec=9h\n" } });
    await heal();
    expect(await host.sh("cat /var/backups/unit-test/*override.conf*")).toContain("RandomizedDelaySec=9h");
  });

  test("of another name is never touched by a drop-in's path", async () => {
    const foreign = { ...declared, dropIns: { "/etc/systemd/system/ssh.service.d/x.conf": "" } };
    await expect(systemdUnit.update(host.root, name, recordOf(foreign), declared)).rejects.toThrow(
      /refusing to move/,
    );
  });

  test("stays as it was when systemd would refuse its text", async () => {
    const bad = { ...declared, content: content.replace("*-*-* 02:30:00", "whenever") };
    await expect(systemdUnit.update(host.root, name, recordOf(declared), bad)).rejects.toThrow(
      /not valid.*whenever/s,
    );
    expect(await read()).toEqual(declared);
  });

  test("is checked by an older systemd-analyze too, which knows no --recursive-errors", async () => {
    const older = `#!/bin/sh
case "$*" in *--recursive-errors*) echo "systemd-analyze: unrecognized option '--recursive-errors=no'" >&2; exit 1 ;; esac
/usr/bin/systemd-analyze "$@" | grep -v -e --recursive-errors; exit \${PIPESTATUS:-0}`;
    await host.sh(
      `cat >/usr/local/bin/systemd-analyze <<'END'\n${older.replace("#!/bin/sh", "#!/bin/bash")}\nEND\nchmod +x /usr/local/bin/systemd-analyze`,
    );
    try {
      const changed = { ...declared, content: content.replace("02:30", "03:30") };
      await systemdUnit.update(host.root, name, recordOf(declared), changed);
      const bad = { ...declared, content: content.replace("*-*-* 02:30:00", "whenever") };
      await expect(systemdUnit.update(host.root, name, recordOf(changed), bad)).rejects.toThrow(/whenever/);
      expect(await host.sh(`grep OnCalendar /etc/systemd/system/${name}`)).toContain("03:30");
    } finally {
      await host.sh("rm /usr/local/bin/systemd-analyze");
    }
  });

  test("that cannot be started is recorded as partly created, so that it can be removed", async () => {
    const broken = {
      ...declared,
      name: "unit-test-broken.service",
      content: "[Service]\nType=oneshot\nExecStart=/bin/false\n\n[Install]\nWantedBy=multi-user.target\n",
    };
    const failure = await systemdUnit.create(host.root, broken).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      name: "HostError",
      id: broken.name,
      outputs: { content: broken.content },
    });
    await systemdUnit.remove(host.root, broken.name, recordOf(broken));
    expect(await host.sh(`ls /etc/systemd/system | grep -c ${broken.name} || true`)).toBe("0");
  });

  test("is stopped, disabled and kept in the backup directory when it is removed", async () => {
    await systemdUnit.remove(host.root, name, recordOf(declared));
    expect(await read()).toBeUndefined();
    expect(await host.sh(`systemctl is-active ${name} || true`)).toBe("inactive");
    expect(await host.sh("cat /var/backups/unit-test/*")).toContain("OnCalendar");
  });

  test("whose text alone changes is not stopped unless that was asked for", async () => {
    const service = { ...declared, name: "unit-test-long.service", active: true, restartOnChange: false };
    const text = "[Service]\nExecStart=/bin/sleep 1000\n\n[Install]\nWantedBy=multi-user.target\n";
    await systemdUnit.create(host.root, { ...service, content: text });
    const pid = await host.sh(`systemctl show -p MainPID ${service.name}`);
    const changed = { ...service, content: text.replace("1000", "2000") };
    await systemdUnit.update(host.root, service.name, recordOf({ ...service, content: text }), changed);
    expect(await host.sh(`systemctl show -p MainPID ${service.name}`)).toBe(pid);
    await systemdUnit.remove(host.root, service.name, recordOf(changed));
  });
});
