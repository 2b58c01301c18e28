import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn } from "@pulumi/pulumi/automation/index.js";

/** What the SDK says after a program that has reported an error itself. Source: sdk/nodejs/automation/server.ts, run. */
const alreadyReported = /^One or more errors occurred\. Check logs for more details\s*$/m;

/** The program, with the fault that ends it reported once. Of one that is thrown, the SDK and the engine say all each. */
export function faultOnce(program: PulumiFn): PulumiFn {
  return async () => {
    try {
      return await program();
    } catch (error) {
      if (!pulumi.RunError.isInstance(error)) throw error;
      await pulumi.log.error(error.message);
      return undefined;
    }
  };
}

/** Whether an error of the engine says only that there is another one. */
export function saysNothingNew(message: string): boolean {
  return alreadyReported.test(message);
}
