import { expect, test } from "vitest";
import { image } from "../../../support/images/oci-content.ts";
import { fakeRegistry, probe } from "../../../support/registry/fake-registry.ts";
import { serveAndRecord, stoppedServer } from "../../../support/server/server.ts";

const amd64 = image("amd64", "linux/amd64");

/** A Pushgateway that keeps what it is given. */
async function pushgateway(status = 200) {
  const { url, received } = await serveAndRecord(status, "no such label");
  const puts = () => received.map(({ method, path, body }) => ({ path: `${method} ${path}`, text: body }));
  const names = () => [...(received[0]?.body.matchAll(/^(\w+)\{/gm) ?? [])].map(([, name]) => name);
  return { url, puts, names };
}

const missing = (fragment: string) =>
  fakeRegistry({ "a:1": amd64 }, ({ url = "", headers }, response) => {
    if (!url.includes(fragment) || !headers.authorization) return undefined;
    response.writeHead(fragment === "/blobs/" ? 404 : 403).end();
    return true;
  });

test("what was found broken is put as one group, by repository", async () => {
  const gateway = await pushgateway();
  const registry = await missing("/blobs/");
  const flags = ["--pushgateway", `${gateway.url}/base/`, "--instance", "r:5050", "--sentinel", "a"];
  const { exitCode } = await probe(registry.url, flags);
  expect(exitCode).toBe(1);
  expect(gateway.puts().map(({ path }) => path)).toEqual([
    "PUT /base/metrics/job/registry-integrity-probe/instance/r%3A5050",
  ]);
  const [{ text = "" } = {}] = gateway.puts();
  for (const line of [
    'registry_manifest_integrity_failures{instance="r:5050"} 2',
    'regwarden_probe_broken{instance="r:5050",repository="a"} 2',
    'regwarden_probe_complete{instance="r:5050"} 1',
    'regwarden_probe_sentinel_present{instance="r:5050"} 1',
    'regwarden_probe_authentication_required{instance="r:5050"} 1',
    'regwarden_probe_errors{instance="r:5050",kind="unavailable"} 0',
  ])
    expect(text).toContain(`${line}\n`);
  expect(gateway.names()).toContain("regwarden_probe_success_timestamp_seconds");
});

test("a run without the catalogue puts that, and no counts", async () => {
  const gateway = await pushgateway();
  const registry = await missing("_catalog");
  const { exitCode } = await probe(registry.url, ["--pushgateway", gateway.url, "--shard", "1/2"]);
  expect(exitCode).toBe(3);
  expect(gateway.puts()[0]?.path).toMatch(/\/shard\/1$/);
  expect(gateway.puts()[0]?.text).toMatch(/^registry_manifest_integrity_catalog_accessible\{.*\} 0$/m);
  expect([...new Set(gateway.names())].sort()).toEqual([
    "registry_manifest_integrity_catalog_accessible",
    "registry_manifest_integrity_last_run_timestamp",
    "regwarden_probe_authentication_required",
    "regwarden_probe_complete",
    "regwarden_probe_duration_seconds",
    "regwarden_probe_errors",
    "regwarden_probe_requests",
  ]);
});

test("a run that could not check everything and found nothing does not say zero", async () => {
  const gateway = await pushgateway();
  const registry = await missing("/tags/list");
  await probe(registry.url, ["--pushgateway", gateway.url]);
  expect(gateway.names()).toContain("registry_manifest_integrity_repos_checked");
  expect(gateway.names()).not.toContain("registry_manifest_integrity_failures");
  expect(gateway.names()).not.toContain("regwarden_probe_success_timestamp_seconds");
});

test("metrics that cannot be put end the run as one that could not check, and the findings are printed", async () => {
  const registry = await missing("/blobs/");
  const gateways = [
    [await stoppedServer(), "ECONNREFUSED"],
    [(await pushgateway(400)).url, "no such label"],
  ] as const;
  for (const [url, reason] of gateways) {
    const { exitCode, report, stderr } = await probe(registry.url, ["--pushgateway", url]);
    expect([exitCode, report.findings.length]).toEqual([3, 2]);
    expect(stderr).toContain(reason);
    expect(stderr).toContain("What the run found stands");
  }
});
