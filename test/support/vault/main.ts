import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../../../config/read-config.ts";
import { readSecrets } from "../../../config/read-secrets.ts";
import { vaultOf } from "../../../config/read-vault.ts";
import { UsageError } from "../../../engine/args.ts";
import { terminal } from "../../../engine/display.ts";
import { explain } from "../../../engine/explain.ts";
import { runEngine } from "../../../engine/run.ts";
import { allowInVault } from "../../../index.ts";

/** The engine on a small program whose secrets are in Vault: `main.ts OPERATION --stack NAME`. */

/** As the host's provider, it holds the key by which its things are reached. */
class Provider extends pulumi.ProviderResource {
  constructor(name: string, key: pulumi.Output<string> | undefined) {
    super("step", name, key === undefined ? {} : { key });
  }
}

class Step extends pulumi.CustomResource {
  constructor(name: string, content: pulumi.Output<string>, provider: Provider) {
    const path = `${process.env.SMALL_STEPS ?? ""}/${name}`;
    super("step:index:Step", name, { path, content }, { provider });
  }
}

async function program(): Promise<void> {
  const config = readConfig();
  const vault = vaultOf(config);
  const secrets = await readSecrets(config, vault);
  if (vault !== undefined) allowInVault(config, vault);
  const provider = new Provider("step", secrets.sshPrivateKey);
  new Step("user", secrets.registryUser, provider);
  new Step("password", secrets.registryPassword, provider);
}

try {
  const project = { program, directory: process.env.SMALL_PROJECT ?? "" };
  process.exitCode = await runEngine(process.argv.slice(2), project, terminal);
} catch (error) {
  terminal.writeError(`${explain(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
