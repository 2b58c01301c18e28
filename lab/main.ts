import { join } from "node:path";
import { hasCluster } from "./cluster/paths.ts";
import { exitCodes, type LabArgs, parseLabArgs, usage } from "./commands/args.ts";
import { down } from "./commands/down.ts";
import { runPods } from "./commands/run-pods.ts";
import { status } from "./commands/status.ts";
import { up } from "./commands/up.ts";
import { runIncident } from "./incident/incident.ts";
import { LabError, messageOf } from "./machine/errors.ts";
import type { Instance } from "./machine/instances.ts";
import { withLock } from "./machine/lock.ts";
import { cacheDirectory } from "./machine/paths.ts";
import { bad } from "./machine/screen.ts";
import { runTour } from "./tour/tour.ts";

async function incident({ instance, speed = 1 }: LabArgs): Promise<number> {
  return (await runIncident(instance, speed)) ? exitCodes.ok : exitCodes.failed;
}

async function tour({ instance, speed = 1 }: LabArgs): Promise<number> {
  return (await runTour(instance, speed)) ? exitCodes.ok : exitCodes.failed;
}

/** An instance is changed by one run at a time, whichever clone it comes from: the addresses are the machine's. */
async function exclusively(instance: Instance, work: () => Promise<number>): Promise<number> {
  return withLock(join(cacheDirectory(), "locks", `instance-${instance}`), work);
}

function requireCluster(instance: Instance): void {
  if (hasCluster(instance)) return;
  throw new LabError("E_MISSING", `the instance ${instance} has no cluster`, {
    hint: 'Bring one up with "npm run lab".',
  });
}

async function main(args: LabArgs): Promise<number> {
  const { command, instance } = args;
  if (command === "incident" || command === "tour" || command === "run") requireCluster(instance);
  switch (command) {
    case "help":
      process.stdout.write(usage);
      return exitCodes.ok;
    case "status":
      return status(instance);
    case "run":
      return runPods(args);
    case "incident":
      return exclusively(instance, () => incident(args));
    case "tour":
      return exclusively(instance, () => tour(args));
    case "up":
      return exclusively(instance, () => up(args));
    case "down":
      return exclusively(instance, () => down(args));
  }
}

/** Prints why the command failed and what to do next. Returns the exit code. */
function reportFailure(error: unknown): number {
  process.stderr.write(`${bad(messageOf(error))}\n`);
  if (!(error instanceof LabError)) return exitCodes.failed;
  if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  if (error.code !== "E_USAGE") return exitCodes.failed;
  process.stderr.write(`\n${usage}`);
  return exitCodes.usage;
}

/** Ctrl-C reaches the running command too; the next run checks whatever this one leaves half done. */
function endOnSignal(): void {
  const showCursor = "\u001B[?25h";
  process.once("SIGINT", () => {
    process.stdout.write(
      `${process.stdout.isTTY ? showCursor : ""}\nInterrupted. "npm run lab" goes on from here.\n`,
    );
    process.exit(exitCodes.interrupted);
  });
}

endOnSignal();
// The engine would prefer a passphrase from the caller's environment to the instance's own file.
delete process.env.PULUMI_CONFIG_PASSPHRASE;
try {
  process.exitCode = await main(parseLabArgs(process.argv.slice(2)));
} catch (error) {
  process.exitCode = reportFailure(error);
}
