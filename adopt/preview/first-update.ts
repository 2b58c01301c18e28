import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import automation from "@pulumi/pulumi/automation/index.js";
import { yamlText } from "../../components/yaml.ts";
import type { ResourceChange } from "../../engine/changes.ts";
import { pulumiCommand } from "../../engine/cli/pulumi-command.ts";
import { stackEnvironment } from "../../engine/environment.ts";
import { Interruption } from "../../engine/interruption.ts";
import { projectDirectory } from "../../engine/open-stack.ts";
import { runPreview } from "../../engine/stack.ts";
import registryStack from "../../index.ts";
import type { StandIns } from "./stand-ins.ts";

/** What a preview of the first update needs. */
export interface FirstUpdate {
  readonly stack: string;
  /** Configuration by top-level key, without the namespace. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly secrets: StandIns;
  readonly kubeconfig: string | undefined;
}

/**
 * What the first update would do, as the engine announces it. The state is one of its own that goes again: neither the
 * operator's backend nor any file of the project is touched, and no secret is written anywhere.
 *
 * Errors: throws with what the engine reported.
 */
export async function previewFirstUpdate(first: FirstUpdate): Promise<readonly ResourceChange[]> {
  const directory = mkdtempSync(join(tmpdir(), "regwarden-first-update-"));
  try {
    writeProject(directory);
    useEnvironment(directory, first);
    const settings = { workDir: directory, pulumiCommand: await pulumiCommand() };
    const named = { stackName: first.stack, projectName, program: () => programWith(first) };
    const stack = await automation.LocalWorkspace.createOrSelectStack(named, settings);
    const errors: string[] = [];
    const display = {
      write: () => {},
      writeError: (text: string) => void errors.push(text),
      color: "never" as const,
    };
    const options = { display, interruption: new Interruption(), only: undefined };
    const outcome = await runPreview({ stack, backendDirectory: directory }, false, options);
    if (outcome.exitCode === 0) return outcome.changes;
    throw new Error((outcome.errors.length > 0 ? outcome.errors : errors).join("\n").trim());
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const projectName = "regwarden";

/** A project that runs this one's program: Pulumi writes a file beside its configuration. */
function writeProject(directory: string): void {
  const providers = [{ name: "host", path: join(projectDirectory, "provider") }];
  const runtime = { name: "nodejs", options: { typescript: false } };
  writeFileSync(
    join(directory, "Pulumi.yaml"),
    yamlText({ name: projectName, runtime, plugins: { providers } }),
  );
  // Files that are sent to the host are named from the project's root.
  for (const name of ["node_modules", "dist"])
    symlinkSync(join(projectDirectory, name), join(directory, name));
}

function useEnvironment(directory: string, { stack, kubeconfig }: FirstUpdate): void {
  const { variables } = stackEnvironment(projectDirectory, stack, process.env);
  Object.assign(process.env, variables, {
    PULUMI_BACKEND_URL: `file://${directory}`,
    PULUMI_CONFIG_PASSPHRASE: randomBytes(18).toString("base64url"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }),
  });
  delete process.env.PULUMI_CONFIG_PASSPHRASE_FILE;
}

/** The configuration goes to the program in this process: in no file, no argument and no state. */
async function programWith({ values, secrets }: FirstUpdate): ReturnType<typeof registryStack> {
  const texts = Object.entries(values).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  const all: Record<string, string> = { ...Object.fromEntries(texts), ...secrets };
  const named = (key: string) => `regwarden:${key}`;
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(all).map(([key, value]) => [named(key), value])),
    Object.keys(secrets).map(named),
  );
  return await registryStack();
}
