import { writeFileSync } from "node:fs";
import { yamlText } from "../components/yaml.ts";
import { UsageError } from "./args.ts";
import type { AdoptionPlan } from "./plan/plan.ts";

/** The text of a stack's configuration file, with what it does not do as comments at its end. */
export function configText(
  { values, retention }: Pick<AdoptionPlan, "values" | "retention">,
  host: string,
): string {
  const comments = retention.map((line) => `  # ${line}\n`).join("");
  const config = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`regwarden:${key}`, value]),
  );
  return `# What ${host} runs, as \`npm run adopt\` read it. What is left out has its default: see Pulumi.example.yaml.\n${yamlText({ config })}${comments}`;
}

/** Errors: UsageError where there is such a file: it may hold secrets that are nowhere else. */
export function writeConfig(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new UsageError(
      `${path} is there already and was left as it is: move it away, or name another stack with --out.`,
      {
        cause,
      },
    );
  }
}
