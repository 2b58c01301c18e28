import { removeInstance } from "../../lab/commands/down.ts";
import { ensureHost } from "../../lab/host/host.ts";
import { ensureEngine } from "../../lab/machine/docker-engine.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";

/** Boots the host that the tests of this folder share; what this returns takes it down again. */
export default async function setup(): Promise<() => Promise<void>> {
  const reporter = { say: (line: string) => process.stderr.write(`${line}\n`) };
  await ensurePackages({ reporter });
  await ensureEngine({ reporter });
  await ensureHost("test", { reporter });
  return async () => removeInstance("test", false);
}
