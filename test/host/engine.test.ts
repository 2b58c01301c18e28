import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import automation, { type Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pinnedImages } from "../../contract/images.ts";
import { projectRoot, searchPath } from "../../lab/machine/paths.ts";
import { ensurePulumi, pulumiBinary, pulumiHome } from "../../lab/machine/tools/pulumi.ts";
import { ComposeProject, Provider } from "../../provider/resources.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

/** The real engine, with one compose project. */
let host: TestHost;
let stack: Stack;
const directory = mkdtempSync(join(tmpdir(), "regwarden-engine-"));
const file = "/srv/engine-test/docker-compose.yml";
const image = pinnedImages.registry;

async function program(): Promise<void> {
  const { address, sshPort, hostKey, privateKeyFile } = host.lab;
  const privateKey = readFileSync(privateKeyFile, "utf8");
  const connection = { host: address, port: sshPort, hostKey, privateKey, dialErrorLimit: 1 };
  const provider = new Provider("host", { connection });
  const services = { one: { container: "engine-test-one", image, revision: "1", healthcheck: false } };
  const args = { project: "engine-test", file, services, waitTimeoutSeconds: 5 };
  new ComposeProject("compose", args, { provider });
}

const writeFile = (command: string) =>
  host.sh(`mkdir -p /srv/engine-test && cat >${file} <<'END'
services:
  one:
    image: ${image}
    container_name: engine-test-one
    entrypoint: ["/bin/sh", "-c", "${command}"]
    labels: { regwarden.revision: "1" }
END
`);
const containers = () => host.sh("docker ps -aq --filter name=engine-test | wc -l");
const types = async () => {
  const { deployment } = await stack.exportStack();
  return (deployment.resources as { type: string }[]).map(({ type }) => type);
};

beforeAll(async () => {
  host = await testHost({ images: true });
  await ensurePulumi();
  writeFileSync(
    join(directory, "Pulumi.yaml"),
    `name: engine-test\nruntime: nodejs\nplugins: { providers: [{ name: host, path: ${projectRoot}/provider }] }\n`,
  );
  const pulumiCommand = await automation.PulumiCommand.get({ root: join(pulumiBinary(), "../..") });
  stack = await automation.LocalWorkspace.createOrSelectStack(
    { stackName: "test", projectName: "engine-test", program },
    {
      pulumiCommand,
      workDir: directory,
      envVars: {
        PATH: searchPath(),
        PULUMI_HOME: pulumiHome(),
        PULUMI_BACKEND_URL: `file://${directory}`,
        PULUMI_CONFIG_PASSPHRASE: "test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );
});
beforeEach(() => host.sh("docker ps -aq --filter name=engine-test | xargs -r docker rm -f >/dev/null"));
afterAll(async () => {
  await host.sh("docker ps -aq --filter name=engine-test | xargs -r docker rm -f; rm -rf /srv/engine-test");
  rmSync(directory, { recursive: true, force: true });
});

describe("the engine", () => {
  test("records a compose project that failed halfway, heals it by the next update, and removes it", async () => {
    await writeFile("echo 'panic: no remote'; exit 2");
    await expect(stack.up()).rejects.toThrow(/panic: no remote/);
    expect(await types()).toContain("host:index:ComposeProject");
    expect(await containers()).toBe("1");
    await writeFile("sleep 1000");
    await stack.up({ refresh: true });
    expect(await host.sh("docker inspect -f '{{.State.Status}}' engine-test-one")).toBe("running");
    await stack.preview({ refresh: true, expectNoChanges: true });
    await stack.destroy();
    expect(await containers()).toBe("0");
  });

  test("removes one that failed halfway without another update", async () => {
    await writeFile("exit 2");
    await expect(stack.up()).rejects.toThrow(/engine-test-one/);
    await stack.destroy();
    expect(await containers()).toBe("0");
  });
});
