import { readFileSync } from "node:fs";
import { beforeAll, expect, test, vi } from "vitest";
import { withCluster } from "../support/program-stack/cluster.ts";
import { plain, type Run, run } from "../support/program-stack/engine.ts";
import { HOST_KEY } from "../support/program-stack/raw-config.ts";

// The bundle is built by another step.
vi.mock("node:fs", async (original) => {
  const { withBundles } = await import("../support/program-stack/bundles.ts");
  return withBundles(await original());
});

const { default: registryStack } = await import("../../index.ts");

const document = readFileSync(new URL("../../docs/what-runs-when.md", import.meta.url), "utf8");

/** The cells of every row that names something in code type first, without backquotes. */
const rows = [...document.matchAll(/^\| `([\w.-]+)` +\|(.*)\|$/gm)].map(([, name = "", cells = ""]) => ({
  name,
  cells: cells.split("|").map((cell) => cell.trim()),
}));
const rowsOf = (ending: RegExp) => rows.filter(({ name }) => ending.test(name));

const site = {
  name: "SITE",
  namespace: "blog",
  source: "gdrive:blog",
  requiredFile: "index.html",
  claim: "blog-content",
};

/** A stack that has all that is off by default, and every time as it is by default. */
const { tlsCertificate, tlsPrivateKey, ...config } = withCluster({
  inUse: { enabled: true },
  driveSync: { sites: [{ ...site, name: "site" }] },
});
const everything = {
  ...config,
  driveSyncConfigs: JSON.stringify({ site: "[gdrive]\ntype = drive\n" }),
  collection: JSON.stringify({ mode: "apply" }),
  backup: JSON.stringify({ address: "10.0.20.30", hostKey: HOST_KEY, directory: "/srv/registry-backup" }),
  breakGlass: JSON.stringify({ images: ["infra-ci:latest"] }),
  host: JSON.stringify({
    ...JSON.parse(config.host ?? "{}"),
    tls: {
      certificate: "/etc/letsencrypt/live/x/fullchain.pem",
      privateKey: "/etc/letsencrypt/live/x/privkey.pem",
    },
  }),
};

let stack: Run<unknown>;
beforeAll(async () => {
  stack = await run(registryStack, { config: everything });
});

/** Text of each unit by its name. */
function declaredUnits(): Map<string, string> {
  const units = stack.declared.filter(({ type }) => /:SystemdUnit$/.test(type));
  return new Map(units.map(({ inputs }) => [String(plain(inputs.name)), String(plain(inputs.content))]));
}

/** What a timer's text says, as the table does. */
function whenOf(timer: string): { readonly when: string; readonly missed: string } {
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(timer)?.[1];
  const every = value("OnUnitActiveSec");
  const delay = value("RandomizedDelaySec");
  const exact = every === undefined ? `\`${value("OnCalendar")}\`` : `every \`${every}\``;
  return {
    when: `${exact}${delay === undefined ? "" : `, up to ${/^\d+$/.test(delay) ? `${delay} s` : delay} later`}`,
    missed: value("Persistent") === "yes" || value("Persistent") === "true" ? "made up" : "",
  };
}

test("the document has every timer with its time", () => {
  const declared = [...declaredUnits()].filter(([name]) => name.endsWith(".timer"));
  expect(declared.length).toBeGreaterThan(5);
  const expected = declared.map(([name, text]) => ({ name, ...whenOf(text) }));
  const documented = rowsOf(/\.timer$/).map(({ name, cells: [when = "", missed = ""] }) => ({
    name,
    when,
    missed,
  }));
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  expect(documented.sort(byName)).toEqual(expected.sort(byName));
});

test("the document has every service", () => {
  const declared = [...declaredUnits().keys()].filter((name) => name.endsWith(".service"));
  expect(
    rowsOf(/\.service$/)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(declared.sort());
});

test("the document has every CronJob with its schedule", () => {
  const declared = stack.declared
    .filter(({ type }) => type.endsWith(":CronJob"))
    .map(({ inputs }) => {
      const { metadata, spec } = inputs as { metadata: { name: string }; spec: { schedule: string } };
      return [metadata.name.replace("site-", "SITE-"), `\`${spec.schedule}\``];
    });
  const documented = rows.filter(({ name }) => /probe$|in-use$|gdrive-sync$/.test(name));
  expect(documented.map(({ name, cells: [when] }) => [name, when]).sort()).toEqual(declared.sort());
});
