import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { checkContext, checkKubeconfig } from "./secret-rules.ts";

/**
 * The content of the kubeconfig that kubectl would read, for a person at a machine: a pipeline has it as a secret.
 *
 * Errors: RunError that names the file, and the other ways to give one.
 */
export function readKubeconfigFile(
  context: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const { KUBECONFIG = "" } = environment;
  const path = KUBECONFIG === "" ? join(homedir(), ".kube/config") : KUBECONFIG;
  const fault = (what: string) =>
    new pulumi.RunError(
      `The kubeconfig ${path} ${what}. Give the cluster's kubeconfig as the secret regwarden:kubeconfig, from Vault as regwarden:vault.kubeconfig, or by KUBECONFIG with the path of one file.`,
    );
  if (path.includes(":")) throw fault("names several files");
  let content: string;
  try {
    content = readFileSync(path, "utf8");
  } catch (error) {
    throw fault(`cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
  const rule = checkKubeconfig(content) ?? checkContext(content, context);
  if (rule !== undefined) throw fault(`must be ${rule}`);
  return content;
}
