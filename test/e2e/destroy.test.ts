import { readFileSync } from "node:fs";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { stateDirectory } from "../../lab/machine/paths.ts";
import { stackObjects } from "../support/lab/cluster.ts";
import { engineEnds, labEnds } from "../support/lab/expected.ts";
import { instance, onHost, pulumi, saidFile } from "../support/lab/stack.ts";

/** The last of the end-to-end tests: they search all that was printed, and take the lab away. */

describe("secrets", () => {
  test("stand in no output, no state and no process list", async () => {
    const secrets = await Promise.all(
      ["registryPassword", "tlsPrivateKey", "sshPrivateKey"].map((name) =>
        pulumi("config", "get", `regwarden:${name}`),
      ),
    );
    const state = await pulumi("stack", "export");
    const journal = await onHost("journalctl --no-pager");
    const said = readFileSync(saidFile, "utf8");
    for (const secret of [...secrets, "a cache's own password"]) {
      const line = secret.split("\n")[1] ?? secret;
      const forms = [line, Buffer.from(secret).toString("base64")];
      const texts = [said, state, journal];
      expect(forms.some((form) => texts.some((text) => text.includes(form)))).toBe(false);
    }
  });
});

describe("destroy", () => {
  test("takes containers, units and files away, and leaves the registry's data", async () => {
    await engineEnds(0, "destroy", "--yes");
    expect(await onHost("docker ps -aq --filter label=com.docker.compose.project=registry | wc -l")).toBe(
      "0",
    );
    expect(
      await onHost("ls /etc/systemd/system/ | grep -c -e regwarden -e docker-compose-registry || true"),
    ).toBe("0");
    expect(await onHost("ls /opt/registry")).toBe("data");
    expect(await onHost("ls /opt/registry/data/private/docker/registry/v2/repositories")).toContain(
      "infra-ci",
    );
  });

  test("takes every object out of the cluster", async () => {
    expect(await stackObjects()).toEqual([]);
  });

  test("and then down leave no container, volume, network, mount or process behind", async () => {
    await labEnds(0, "down");
    const { stdout } = await execa("sh", [
      "-c",
      "docker ps -a --format '{{.Names}}'; docker volume ls -q; docker network ls --format '{{.Name}}'; cat /proc/mounts; ps -eo args",
    ]);
    expect(stdout).not.toContain(`regwarden-${instance}`);
    expect(stdout).not.toContain(stateDirectory(instance));
  });
});
