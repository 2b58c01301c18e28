import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cronJobs } from "../../contract/cluster-names.ts";
import { isInFull } from "../support/in-full.ts";
import { cluster, patch, pathOf } from "../support/lab/cluster.ts";
import { engineEnds, noDrift, up } from "../support/lab/expected.ts";
import { holds } from "../support/lab/prometheus.ts";
import { onHost, pulumi } from "../support/lab/stack.ts";

describe("what is on the host beside what is declared", () => {
  let drift: string;
  beforeAll(async () => {
    await up();
    // Containers that updates have put aside are not declared either.
    await onHost("docker ps --all --quiet --filter name=.displaced- | xargs -r docker rm --force");
    await onHost(
      `mkdir -p /etc/cron.d; echo by hand >/opt/registry/docker-compose.override.yml
docker run -d --pull never --name registry-by-hand --network registry_registry --entrypoint sleep nginx:1.28.0-alpine 10000 >/dev/null
printf '25 3 * * 0 root docker exec registry-private registry garbage-collect -m /etc/docker/registry/config.yml\\n' >/etc/cron.d/registry-gc
systemd-run --quiet --unit regwarden-by-hand sleep 10000`,
    );
    drift = await engineEnds(0, "drift");
  });
  afterAll(async () => {
    await onHost(
      "rm -f /opt/registry/docker-compose.override.yml /etc/cron.d/registry-gc; docker rm -f registry-by-hand >/dev/null; systemctl stop regwarden-by-hand",
    );
  });

  test("is listed by name and is no drift", () => {
    expect(drift).toContain("no drift");
    expect(drift).toMatch(/^ {2}file +\/opt\/registry\/docker-compose\.override\.yml +file$/m);
    expect(drift).toMatch(
      /^ {2}container +registry-by-hand +nginx:1\.28\.0-alpine, running, in the network of registry$/m,
    );
    expect(drift).toMatch(/^ {2}unit +regwarden-by-hand\.service /m);
    expect(drift).toMatch(/^ {2}job +\/etc\/cron\.d\/registry-gc:1 +.*garbage-collect -m/m);
    expect(drift).not.toMatch(/^ {2}(file|container|unit|job) +(?!.*(by-hand|override|registry-gc))/m);
    expect(drift).not.toContain("could not check");
  });

  test("has a gauge of its own in Prometheus", async () => {
    await holds('drift_unmanaged_count{kind="job"} == 1');
    await holds("drift_unmanaged_unchecked == 0");
  });

  test("is drift where that is asked for, and passed over where it is allowed", async () => {
    await engineEnds(7, "drift", "--unmanaged");
    await pulumi("config", "set", "--path", "regwarden:drift.allow[0]", "container:registry-by-*");
    await up();
    const allowed = await engineEnds(0, "drift");
    expect(allowed).not.toMatch(/^ {2}container /m);
    expect(allowed).toMatch(/^ {2}job /m);
    await pulumi("config", "rm", "regwarden:drift");
    await up();
  });

  test("is left alone by an update", async () => {
    await up();
    expect(await onHost("cat /opt/registry/docker-compose.override.yml /etc/cron.d/registry-gc")).toContain(
      "garbage-collect -m",
    );
    expect(await onHost("docker inspect --format '{{.State.Status}}' registry-by-hand")).toBe("running");
  });
});

// By a small stack: test/engine/only.test.ts.
describe.runIf(isInFull)("while the VM does not answer", () => {
  beforeAll(async () => {
    await up();
    await onHost("systemctl stop ssh.socket ssh.service");
  });
  afterAll(async () => {
    await onHost("systemctl start ssh.service");
    await up();
    await noDrift();
  });

  test("the cluster's part is applied by itself, and an update of all fails", async () => {
    await patch("cronjobs", cronJobs.probe, { spec: { suspend: true } });
    await engineEnds(1, "up", "--yes");
    await engineEnds(0, "up", "--yes", "--only", "cluster");
    const job = await cluster().get(pathOf("cronjobs", cronJobs.probe));
    expect(job).toMatchObject({ spec: { suspend: false } });
  });

  test("a destroy fails and names what remains on the host; the cluster's part can be destroyed", async () => {
    const all = await engineEnds(1, "destroy", "--yes");
    expect(all).toMatch(/still holds:\n {2}host: \d+ \(.*\)$/m);
    const one = await engineEnds(0, "destroy", "--yes", "--only", "cluster");
    expect(one).toMatch(/^ {2}host: \d+ /m);
    expect(one).not.toMatch(/^ {2}cluster: \d+ /m);
    await engineEnds(0, "up", "--yes", "--only", "cluster");
  });
});
