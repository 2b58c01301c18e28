import { down } from "../../lab/down.ts";
import { ensureEngine } from "../../lab/engine.ts";
import { ensureHost } from "../../lab/host.ts";
import { ensurePackages } from "../../lab/packages.ts";

/** Boots the host that the tests of this folder share; what this returns takes it down again. */
export default async function setup(): Promise<() => Promise<void>> {
  const reporter = { say: (line: string) => process.stderr.write(`${line}\n`) };
  await ensurePackages({ reporter });
  await ensureEngine({ reporter });
  await ensureHost("test", { reporter });
  return async () => down("test", false);
}
