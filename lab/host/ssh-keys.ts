import { existsSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../machine/errors.ts";
import { readText, replaceDirectory } from "../machine/files.ts";
import type { Instance } from "../machine/instances.ts";
import { stateDirectory } from "../machine/paths.ts";
import { run } from "../machine/run.ts";

/** The two SSH key pairs of an instance. Public keys are `TYPE BASE64`, without comment. */
export interface SshKeys {
  readonly hostPrivateKey: string;
  readonly hostPublicKey: string;
  readonly clientPrivateKeyFile: string;
  readonly clientPublicKey: string;
}

async function generate(file: string): Promise<void> {
  await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file], { quiet: true });
}

function text(path: string): string {
  const content = readText(path);
  if (content) return content;
  throw new LabError("E_MISSING", `${path} is missing or empty`, {
    hint: 'Remove the instance ("npm run lab -- down") and start it again.',
  });
}

function keyDirectory(instance: Instance): string {
  return join(stateDirectory(instance), "ssh");
}

/** Whether the instance has its keys already. */
export function hasKeys(instance: Instance): boolean {
  return existsSync(keyDirectory(instance));
}

/** The instance's SSH keys, made once. */
export async function ensureKeys(instance: Instance): Promise<SshKeys> {
  const directory = keyDirectory(instance);
  if (!existsSync(directory)) {
    await replaceDirectory(directory, async (beside) => {
      await generate(join(beside, "host_key"));
      await generate(join(beside, "id_ed25519"));
    });
  }
  return {
    hostPrivateKey: `${text(join(directory, "host_key"))}\n`,
    hostPublicKey: text(join(directory, "host_key.pub")).split(" ").slice(0, 2).join(" "),
    clientPrivateKeyFile: join(directory, "id_ed25519"),
    clientPublicKey: text(join(directory, "id_ed25519.pub")).split(" ").slice(0, 2).join(" "),
  };
}
