import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import automation, { type Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { pinnedImages } from "../../contract/images.ts";
import { projectRoot, searchPath } from "../../lab/machine/paths.ts";
import { ensurePulumi, pulumiBinary, pulumiHome } from "../../lab/machine/tools/pulumi.ts";
import { ComposeProject, Provider, Step } from "../../provider/resources.ts";
import { keyPair } from "../support/lab/key-pair.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

/** The real engine, with one compose project and one step. */
let host: TestHost;
let stack: Stack;
const directory = mkdtempSync(join(tmpdir(), "regwarden-engine-"));
const file = "/srv/engine-test/docker-compose.yml";
const image = pinnedImages.registry;
const log = "/srv/engine-test-step";
let key: () => string;
let declare: (provider: Provider) => void;

async function program(): Promise<void> {
  const { address, sshPort, hostKey } = host.lab;
  const connection = { host: address, port: sshPort, hostKey, privateKey: key(), dialErrorLimit: 1 };
  declare(new Provider("host", { connection }));
}

function compose(provider: Provider): void {
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
beforeEach(() => {
  key = () => readFileSync(host.lab.privateKeyFile, "utf8");
  declare = compose;
});
beforeEach(() => host.sh("docker ps -aq --filter name=engine-test | xargs -r docker rm -f >/dev/null"));
afterAll(async () => {
  await host.sh("docker ps -aq --filter name=engine-test | xargs -r docker rm -f; rm -rf /srv/engine-test*");
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

  test("takes another SSH key as a new connection alone: no step runs again, and none differs", async () => {
    declare = (provider) =>
      void new Step("step", { action: "log", script: `echo run >>${log}` }, { provider });
    const { publicKey, privateKey } = keyPair();
    await stack.up();
    await host.sh(
      `cp ~/.ssh/authorized_keys ~/engine-test-keys; echo '${publicKey}' >~/.ssh/authorized_keys`,
    );
    try {
      key = () => privateKey;
      const { summary } = await stack.up({ refresh: true, runProgram: true });
      expect(summary.resourceChanges).toEqual({ same: 2, update: 1 });
      expect(await host.sh(`cat ${log}`)).toBe("run");
      await stack.preview({ refresh: true, runProgram: true, expectNoChanges: true });
    } finally {
      await host.sh("mv ~/engine-test-keys ~/.ssh/authorized_keys");
    }
    key = () => readFileSync(host.lab.privateKeyFile, "utf8");
    await stack.destroy({ runProgram: true });
  });
});
