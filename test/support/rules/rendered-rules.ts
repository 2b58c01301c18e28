import type { AlertScope } from "../../../components/cluster/render/alerts/alert.ts";
import { type RuleGroup, ruleGroups } from "../../../components/cluster/render/rules.ts";

/** The stack that the rules are tested for. */
export const SCOPE: AlertScope = {
  instance: "registry.example.com:5050",
  stack: "prod",
  imagesOf: "registry.example.com:5050",
  collects: true,
  backsUp: true,
  breaksGlass: true,
  sites: ["blog", "wiki"],
};

const RUNBOOK_BASE_URL = "https://git.example.com/runbook.md";

/** All rules of that stack, as Prometheus gets them. */
export const RULES: { groups: RuleGroup[] } = ruleGroups(SCOPE, { runbookBaseUrl: RUNBOOK_BASE_URL });
