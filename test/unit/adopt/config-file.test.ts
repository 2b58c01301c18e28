import { load } from "js-yaml";
import * as v from "valibot";
import { expect, test } from "vitest";
import { configText } from "../../../adopt/config-file.ts";
import { planAdoption } from "../../../adopt/plan/plan.ts";
import { settingsSchema } from "../../../config/settings.ts";
import { formerFacts } from "../../support/former-vm/facts.ts";
import { HOST_KEY } from "../../support/program-stack/raw-config.ts";

const access = {
  address: "10.0.20.10",
  sshPort: 22,
  sshUser: "root",
  hostKey: HOST_KEY,
  hostname: undefined,
};
const plan = planAdoption(formerFacts, { ...access, stack: "home" });

function settingsOf(text: string): Record<string, unknown> {
  const { config } = load(text) as { config: Record<string, unknown> };
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace("regwarden:", ""), value]),
  );
}

test("the configuration removes nothing, and has as a comment what the former job did with tags", () => {
  const text = configText(plan, "root@10.0.20.10");
  expect(settingsOf(text)).toEqual(plan.values);
  expect(text).toMatch(
    /^ {2}# {5}- repositories: \["\*\*"\]\n {2}# {7}keep: \{ newest: 10, tags: \[latest\] \}$/m,
  );
  const settings = v.parse(settingsSchema, settingsOf(text));
  expect([settings.retention.rules, settings.retention.mode, settings.collection.mode]).toEqual([
    [],
    "plan",
    "plan",
  ]);
});

test("without its signs of a comment, it is configuration that still only plans", () => {
  const text = configText(plan, "root@10.0.20.10").replaceAll(/^ {2}# (?=regwarden:| )/gm, "  ");
  const { retention, collection } = v.parse(settingsSchema, settingsOf(text));
  expect(retention).toMatchObject({
    mode: "plan",
    rules: [{ repositories: ["**"], keep: { newest: 10, tags: ["latest"] } }],
  });
  expect(collection.mode).toBe("plan");
});

test("a VM without that job gets no such comment", () => {
  const { values } = planAdoption({ ...formerFacts, cronLines: [] }, { ...access, stack: "home" });
  expect(configText({ values, retention: [] }, "root@10.0.20.10")).not.toContain("retention");
});
