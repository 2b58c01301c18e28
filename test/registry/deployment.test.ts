import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sentinel } from "../../scripts/deployment/sentinel.ts";
import { image } from "../support/images/oci-content.ts";
import { regwardenProcess } from "../support/program.ts";
import { type Registry, startRegistry } from "../support/registry/registry.ts";

const login = { user: "ci", password: "correct horse" };

let registry: Registry;
let cache: Registry;
let scratch: string;
let config: string;
let report: string;
let jobs: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "regwarden-deployment-"));
  [registry, cache] = await Promise.all([startRegistry(login), startRegistry()]);
  config = join(scratch, "config.json");
  report = join(scratch, "scan.json");
  jobs = join(scratch, "jobs");
  await writeFile(jobs, "-- end of jobs --\n");
  await writeFile(
    config,
    JSON.stringify({
      private: {
        url: registry.url,
        user: login.user,
        sentinel: { repository: "regwarden/sentinel", tag: "1" },
      },
      caches: [{ name: "dockerhub", url: cache.url }],
      scanReport: { path: report, maximumAgeSeconds: 600 },
      jobs,
    }),
  );
});
afterAll(async () => {
  await Promise.all([registry.dispose(), cache.dispose()]);
  await rm(scratch, { recursive: true });
});

test("an empty registry has no sentinel, and the check says how to get one", async () => {
  const { exitCode, stdout } = await regwardenProcess(
    ["check-deployment", config],
    {},
    `${login.password}\n`,
  );
  expect(exitCode).toBe(1);
  expect(stdout).toContain("ok      private registry asks for an account");
  expect(stdout).toContain("FAILED  the sentinel can be pulled: expected 200");
  expect(stdout).toContain("regwarden seed-sentinel");
});

test("the wrong password seeds nothing", async () => {
  const { exitCode, stderr } = await regwardenProcess(["seed-sentinel", config], {}, "wrong\n");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("answered 401");
  expect(stderr).not.toContain("wrong\n");
});

test("seeding puts the sentinel there, once, and a client can pull it", async () => {
  const first = await regwardenProcess(["seed-sentinel", config], {}, `${login.password}\n`);
  expect(first).toMatchObject({ exitCode: 0, stderr: "" });
  expect(first.stdout).toContain(`was pushed`);
  const second = await regwardenProcess(["seed-sentinel", config], {}, `${login.password}\n`);
  expect(second).toMatchObject({ exitCode: 0, stderr: "" });
  expect(second.stdout).toContain("is there already");
  expect(await registry.manifestStatus("regwarden/sentinel", sentinel.digest)).toBe(200);
  await registry.pull("regwarden/sentinel", "1");
});

test("all assertions hold for the seeded registry with a fresh report", async () => {
  // Names on both sides of the sentinel's, one of them right where the catalogue is asked to start.
  for (const name of ["a", "regwarden/sentine", "regwarden/sentinel-not", "z"])
    await registry.push(image(name, "linux/amd64"), name, "1");
  const scan = await regwardenProcess(["scan", registry.directory, "--report", report]);
  expect(scan).toMatchObject({ exitCode: 0, stderr: "" });
  expect(scan.stdout).toContain("No findings.");

  const { exitCode, stdout } = await regwardenProcess(
    ["check-deployment", config],
    {},
    `${login.password}\n`,
  );

  expect(stdout).toContain("All 8 assertions hold.");
  expect(exitCode).toBe(0);
});

test("the wrong password is distinguished from everything else", async () => {
  const { exitCode, stdout } = await regwardenProcess(["check-deployment", config], {}, "not the password\n");
  expect(exitCode).toBe(1);
  expect(stdout).toContain("ok      private registry refuses a wrong password");
  expect(stdout).toContain("FAILED  private registry accepts the account: expected 200, got 401");
  expect(stdout).not.toContain("not the password");
});

test("another image under the sentinel's tag is not overwritten", async () => {
  const other = image("other", "linux/amd64");
  await registry.push(other, "regwarden/sentinel", "1");
  const { exitCode, stderr } = await regwardenProcess(["seed-sentinel", config], {}, `${login.password}\n`);
  expect(exitCode).toBe(1);
  expect(stderr).toContain("is another image");
  expect(stderr).toContain(other.descriptor.digest);
});
