import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { messageOf } from "../provider/errors.ts";
import { assertFit } from "../provider/remote/preflight.ts";
import { parseConnection } from "../provider/ssh/connection-config.ts";
import { SshHost } from "../provider/ssh/host.ts";
import { type AdoptArgs, parseAdoptArgs, UsageError, usage } from "./args.ts";
import { planCluster } from "./cluster/plan.ts";
import { readCluster } from "./cluster/read-cluster.ts";
import { configText, writeConfig } from "./config-file.ts";
import { verifiedHostKey } from "./host-key.ts";
import { type AdoptionPlan, planAdoption } from "./plan/plan.ts";
import { standIns } from "./preview/stand-ins.ts";
import { previewText } from "./preview/text.ts";
import { readHost } from "./read/read-host.ts";
import { reportText } from "./report.ts";
import { revert, revertedText } from "./revert.ts";

const exitCodes = { done: 0, open: 1, usage: 2, unchecked: 3 } as const;

try {
  const args = parseAdoptArgs(process.argv.slice(2));
  if (args === "help") process.stdout.write(usage);
  else process.exitCode = await onHost(args);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${usage}`);
  process.exitCode = error instanceof UsageError ? exitCodes.usage : exitCodes.unchecked;
}

async function onHost(args: AdoptArgs): Promise<number> {
  const hostKey = await verifiedHostKey(args, args.hostKey, confirmFingerprint(args));
  const host = new SshHost(
    parseConnection({
      host: args.address,
      port: args.port,
      user: args.user,
      hostKey,
      dialErrorLimit: 1,
      ...(args.identity === undefined ? {} : { privateKey: privateKey(args.identity) }),
    }),
  );
  try {
    return args.revert ? await goBack(host, args) : await adopt(host, hostKey, args);
  } finally {
    await host.close();
  }
}

/** Reads, plans, writes the configuration and prints the plan. Returns the exit code. */
async function adopt(host: SshHost, hostKey: string, args: AdoptArgs): Promise<number> {
  await assertFit(host);
  const facts = await readHost(host, args.directory);
  const { address, port: sshPort, user: sshUser, hostname, stack, out } = args;
  const target = { address, sshPort, sshUser, hostKey, hostname, stack };
  const cluster =
    args.cluster === undefined ? undefined : planCluster(await readCluster(args.cluster), args.cluster);
  const plan = planAdoption(facts, target, cluster);
  writeConfig(out, configText(plan, host.name));
  process.stdout.write(reportText(plan, { stack, file: out, now: new Date() }));
  const isPreviewed = !args.preview || (await preview(plan, args));
  if (!isPreviewed || (cluster?.unchecked ?? []).length > 0) return exitCodes.unchecked;
  return plan.blockers.length === 0 ? exitCodes.done : exitCodes.open;
}

/** Prints what the first update would do. Returns whether that could be checked. */
async function preview({ settings, values, blockers }: AdoptionPlan, args: AdoptArgs): Promise<boolean> {
  if (settings === undefined || blockers.length > 0) {
    process.stdout.write("\nNo preview of the first update: first settle what stands at the top.\n");
    return true;
  }
  process.stdout.write("\nThe first update, previewed with stand-ins for the secrets; nothing is changed:\n");
  try {
    // The engine takes seconds to load, and nothing else here needs it.
    const { previewFirstUpdate } = await import("./preview/first-update.ts");
    const secrets = await standIns(settings, args.identity && privateKey(args.identity));
    const { stack, cluster } = args;
    const changes = await previewFirstUpdate({ stack, values, secrets, kubeconfig: cluster?.kubeconfig });
    process.stdout.write(previewText(changes));
    return true;
  } catch (error) {
    process.stderr.write(
      `Could not preview the first update: ${messageOf(error)}\n${args.out} is written and complete; --no-preview leaves this out.\n`,
    );
    return false;
  }
}

/** Shows or goes the way back. Returns the exit code. */
async function goBack(host: SshHost, args: AdoptArgs): Promise<number> {
  process.stdout.write(`${await revert(host, args)}${revertedText(args)}`);
  return args.apply ? exitCodes.done : exitCodes.open;
}

function confirmFingerprint({ address, port }: AdoptArgs): (fingerprint: string) => Promise<boolean> {
  return async (fingerprint) => {
    process.stderr.write(
      `${address}:${port} shows the host key ${fingerprint}.\n` +
        "Compare it on the VM's console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\n",
    );
    if (!process.stdin.isTTY) return false;
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    const answer = await terminal.question("Is it the same? Type yes to go on: ");
    terminal.close();
    return answer.trim() === "yes";
  };
}

/** Errors: UsageError, without any of its content. */
function privateKey(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${path} cannot be read (${(cause as NodeJS.ErrnoException).code}).`, { cause });
  }
}
