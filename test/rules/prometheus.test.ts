import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dashboardQueries } from "../../components/cluster/render/dashboard.ts";
import { startPrometheus } from "../support/rules/prometheus-tools.ts";
import { RULES } from "../support/rules/rendered-rules.ts";
import type { Service } from "../support/server/service.ts";

let prometheus: Service;
beforeAll(async () => {
  prometheus = await startPrometheus();
});
afterAll(() => prometheus?.stop());

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly groups: { readonly rules: { readonly name: string; readonly health: string }[] }[];
  };
}

async function ask(path: string): Promise<Answer> {
  const response = await fetch(`${prometheus.url}/api/v1/${path}`);
  return (await response.json()) as Answer;
}

describe("a real Prometheus", () => {
  test.each(dashboardQueries())("answers the dashboard's query %s", async (query) => {
    // What Grafana puts in.
    const filled = query.replaceAll("$__rate_interval", "5m");
    expect(await ask(`query?query=${encodeURIComponent(filled)}`)).toMatchObject({ status: "success" });
  });

  test("refuses what is no query, so that success means something", async () => {
    expect((await ask(`query?query=${encodeURIComponent("sum by (job")}`)).status).toBe("error");
  });

  test("has loaded every rule, none of them unhealthy", async () => {
    const { data } = await ask("rules");
    const loaded = (data?.groups ?? []).flatMap(({ rules }) => rules);
    expect(loaded.map(({ name }) => name).sort()).toEqual(
      RULES.groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)).sort(),
    );
    expect(loaded.filter(({ health }) => health === "err")).toEqual([]);
  });
});
