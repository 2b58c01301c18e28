import { join } from "node:path";
import { hasCluster, requestCluster } from "../cluster/paths.ts";
import { LabError } from "../machine/errors.ts";
import { stateDirectory } from "../machine/paths.ts";
import { duration, print } from "../machine/screen.ts";
import { exitCodes, type LabArgs } from "./args.ts";
import { closingText } from "./closing.ts";
import { failureText, runSteps, StepFailure } from "./steps.ts";
import { upSteps } from "./up-steps.ts";

/** A cluster is never removed on the way: objects of the stack are in it. */
function chooseCluster({ instance, cluster }: LabArgs): void {
  if (cluster) requestCluster(instance);
  else if (hasCluster(instance))
    throw new LabError("E_BUSY", `the instance ${instance} has a cluster already`, {
      hint: "Run it with its cluster, or remove the instance first.",
    });
}

/** Brings an instance up, or what of it is missing. Returns the exit code. */
export async function up(args: LabArgs): Promise<number> {
  chooseCluster(args);
  const { instance } = args;
  const start = performance.now();
  try {
    const { host } = await runSteps(upSteps(instance), join(stateDirectory(instance), "logs"));
    print(closingText(instance, host));
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    print(failureText(error));
    return exitCodes.failed;
  }
  print(`\nThe lab is up (${duration((performance.now() - start) / 1000)}).`);
  return exitCodes.ok;
}
