import { readFileSync } from "node:fs";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Service, startPushgateway } from "../support/server/service.ts";

/** The runbook's own commands, in its order, with its placeholders filled in. */
const values = { INSTANCE: "registry.example:5050", NUMBER: "3", STACK: "prod", SITE: "blog" };
const runbook = readFileSync(new URL("../../docs/runbook.md", import.meta.url), "utf8");
const paths = [...runbook.matchAll(/^curl -X DELETE PUSHGATEWAY(\S+)$/gm)].map(([, path = ""]) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(name, value), path),
);

let gateway: Service;
beforeAll(async () => {
  gateway = await startPushgateway();
});
afterAll(() => gateway?.stop());

const address = (path: string) => new URL(path, gateway.url).href;

/** Paths of all groups that the Pushgateway has, as they are pushed to. */
async function groups(): Promise<string[]> {
  const { data } = (await (await fetch(address("/api/v1/metrics"))).json()) as {
    data: { labels: Record<string, string> }[];
  };
  return data.map(({ labels: { job, ...others } }) => {
    const rest = Object.entries(others).map(([name, value]) => `/${name}/${value}`);
    return `/metrics/job/${job}${rest.sort().join("")}`;
  });
}

describe("what the runbook says about groups in the Pushgateway", () => {
  test("names every group that this project and the former one push", () => {
    expect(paths).toHaveLength(5);
  });

  test.each(paths)("DELETE %s takes that group away and no other", async (path) => {
    for (const each of paths) await fetch(address(each), { method: "PUT", body: "some_metric 1\n" });
    await execa("curl", ["--fail", "--silent", "-X", "DELETE", address(path)]);
    // It answers 202 and deletes a moment later.
    const others = paths.filter((each) => each !== path).sort();
    await expect.poll(async () => (await groups()).sort()).toEqual(others);
  });
});
