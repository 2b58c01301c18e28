import { join } from "node:path";
import { hasCluster, wantCluster } from "./cluster/endpoints.ts";
import { runCronJob } from "./cluster/pods/runner.ts";
import { exitCodes, type LabArgs, parseLabArgs, usage } from "./commands/args.ts";
import { closingText } from "./commands/closing.ts";
import { down } from "./commands/down.ts";
import { isWhole, statusOf, statusText } from "./commands/status.ts";
import { failureText, runSteps } from "./commands/steps.ts";
import { type Progress, upSteps } from "./commands/up-steps.ts";
import { runIncident } from "./incident/incident.ts";
import { LabError, messageOf } from "./machine/errors.ts";
import type { Instance } from "./machine/instances.ts";
import { withLock } from "./machine/lock.ts";
import { cacheDirectory } from "./machine/paths.ts";
import { bad, duration, faint } from "./machine/screen.ts";

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A cluster is never taken away on the way: objects of the stack are in it. */
function chooseCluster({ instance, cluster }: LabArgs): void {
  if (cluster) wantCluster(instance);
  else if (hasCluster(instance))
    throw new LabError("E_BUSY", `the instance ${instance} has a cluster already`, {
      hint: "Run it with its cluster, or take it down first.",
    });
}

async function runUp(args: LabArgs): Promise<number> {
  chooseCluster(args);
  const { instance } = args;
  const start = performance.now();
  const progress: Progress = {};
  const failure = await runSteps(upSteps(instance, progress), instance);
  if (failure !== undefined) {
    print(failureText(failure));
    return exitCodes.failed;
  }
  if (progress.host !== undefined) print(closingText(instance, progress.host));
  print(`\nThe lab is up (${duration((performance.now() - start) / 1000)}).`);
  return exitCodes.ok;
}

async function runStatus(instance: Instance): Promise<number> {
  const status = await statusOf(instance);
  print(statusText(status));
  if (isWhole(status)) return exitCodes.ok;
  print('\nNot everything runs. "npm run lab" brings up what is missing.');
  return exitCodes.failed;
}

async function runDown({ instance, cache }: LabArgs): Promise<number> {
  await down(instance, cache, { reporter: { say: (line) => print(faint(line)) } });
  print(
    cache
      ? `Instance ${instance} is removed.`
      : `Instance ${instance} is removed; ${cacheDirectory()} stays.`,
  );
  return exitCodes.ok;
}

/** Runs a CronJob's pods and shows their logs; any that fails makes this fail. */
async function runPods({ instance, cronJob }: LabArgs): Promise<number> {
  if (cronJob === undefined) return exitCodes.usage;
  const reporter = { say: (line: string) => print(line) };
  const results = await runCronJob(instance, cronJob.namespace, cronJob.name, { reporter });
  for (const { name, exitCode, outOfMemory, late } of results) {
    const reason = outOfMemory ? ", out of memory" : late ? ", past its deadline" : "";
    print(faint(`pod ${name}: exit code ${exitCode}${reason}`));
  }
  return results.every(({ exitCode, late }) => exitCode === 0 && !late) ? exitCodes.ok : exitCodes.failed;
}

/** Changing an instance is for one run at a time, whichever clone it comes from: the addresses are the machine's. */
async function exclusively(instance: Instance, work: () => Promise<number>): Promise<number> {
  return withLock(join(cacheDirectory(), "locks", `instance-${instance}`), work);
}

async function main(args: LabArgs): Promise<number> {
  if ((args.command === "incident" || args.command === "run") && !hasCluster(args.instance)) {
    throw new LabError("E_MISSING", `the instance ${args.instance} has no cluster`, {
      hint: "Bring one up with `npm run lab`.",
    });
  }
  switch (args.command) {
    case "help":
      process.stdout.write(usage);
      return exitCodes.ok;
    case "status":
      return runStatus(args.instance);
    case "incident": {
      const story = () => runIncident(args.instance, args.speed ?? 1, print);
      return exclusively(args.instance, async () => ((await story()) ? exitCodes.ok : exitCodes.failed));
    }
    case "run":
      return runPods(args);
    case "up":
      return exclusively(args.instance, () => runUp(args));
    case "down":
      return exclusively(args.instance, () => runDown(args));
  }
}

function tellFailure(error: unknown): number {
  process.stderr.write(`${bad(messageOf(error))}\n`);
  if (!(error instanceof LabError)) return exitCodes.failed;
  if (error.hint !== undefined) process.stderr.write(`${error.hint}\n`);
  if (error.code !== "E_USAGE") return exitCodes.failed;
  process.stderr.write(`\n${usage}`);
  return exitCodes.usage;
}

/** Ctrl-C reaches the running command too; whatever it leaves half done, the next run looks at again. */
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
  process.exitCode = tellFailure(error);
}
