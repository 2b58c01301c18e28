import { rm } from "node:fs/promises";
import { join } from "node:path";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { directoryWithRules, promtool } from "../support/rules/prometheus-tools.ts";

/** `promtool check rules` on the rendered rules, for `npm run check`. */

try {
  await ensurePackages({}, ["promtool"]);
  const directory = await directoryWithRules();
  const { exitCode, output } = await promtool("check", "rules", join(directory, "rules.yaml"));
  await rm(directory, { recursive: true, force: true });
  process.stdout.write(output);
  process.exitCode = exitCode;
} catch (error) {
  process.stderr.write(
    `The alert rules were not checked: ${error instanceof Error ? error.message : error}\n` +
      "promtool checks them: it comes with Debian's package prometheus.\n",
  );
  process.exitCode = 1;
}
