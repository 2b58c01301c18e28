import type { RetentionRules } from "../../../contract/retention-rules.ts";
import { yamlText } from "../../yaml.ts";
import { MANAGED_BY } from "./managed-by.ts";

/** The rules as `retain --rules` and `gc --rules` read them. */
export function retentionRulesFile({ rules, ignoreAgents }: RetentionRules): string {
  return `# ${MANAGED_BY}\n${yamlText({ rules, ignoreAgents })}`;
}
