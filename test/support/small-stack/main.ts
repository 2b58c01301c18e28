import * as pulumi from "@pulumi/pulumi";
import { UsageError } from "../../../engine/args.ts";
import { terminal } from "../../../engine/display.ts";
import { explain } from "../../../engine/explain.ts";
import { runEngine } from "../../../engine/run.ts";
import { Provider, Reachable } from "../../../provider/resources.ts";

/** The engine on a small program, whose steps the tests hold up: `main.ts OPERATION --stack NAME`. */

class Step extends pulumi.CustomResource {
  constructor(name: string, inputs: Record<string, string>, opts?: pulumi.CustomResourceOptions) {
    super("step:index:Step", name, inputs, opts);
  }
}

class Part extends pulumi.ComponentResource {
  constructor(type: string, name: string) {
    super(type, name);
  }
}

const { SMALL_STEPS: directory = "", SMALL_PROJECT: projectDirectory = "" } = process.env;

async function program(): Promise<void> {
  const at = (name: string) => ({ path: `${directory}/${name}`, content: "as declared" });
  const cluster = new Part("registry:cluster:RegistryCluster", "cluster");
  new Step("watch", at("watch"), { parent: cluster });
  const host = new Part("registry:host:RegistryHost", "host");
  const unreachable = `${directory}/host-is-down`;
  const first = new Step("first", { ...at("first"), unreachable }, { parent: host });
  const { SMALL_FAULT: fault } = process.env;
  if (fault !== undefined) throw new pulumi.RunError(fault);
  const held = new Step(
    "held",
    { ...at("held"), unreachable, gate: `${directory}/gate` },
    { parent: host, dependsOn: [first] },
  );
  new Step("last", { ...at("last"), unreachable }, { parent: host, dependsOn: [held] });
  const { SMALL_DNS_HOST: connection } = process.env;
  if (connection === undefined) return;
  const dns = new Part("registry:host:HostDns", "dns-proxmox");
  const provider = new Provider("dns-proxmox", { connection: JSON.parse(connection), deferrable: true });
  const reachable = new Reachable("dns-proxmox-reachable", { host: "proxmox" }, { parent: dns, provider });
  new Step("behind", at("behind"), { parent: dns, dependsOn: [reachable] });
}

try {
  const project = { program, directory: projectDirectory };
  process.exitCode = await runEngine(process.argv.slice(2), project, terminal);
} catch (error) {
  terminal.writeError(`${explain(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
