import { expect, test } from "vitest";
import { standIns } from "../../../adopt/preview/stand-ins.ts";
import { previewText } from "../../../adopt/preview/text.ts";
import { parseSettings } from "../../../config/settings.ts";
import type { ResourceChange } from "../../../engine/changes.ts";
import { HOST_KEY } from "../../support/program-stack/raw-config.ts";
import { SETTINGS } from "../../support/program-stack/settings.ts";

const change = (
  operation: string,
  type: string,
  name: string,
  properties: string[] = [],
): ResourceChange => ({
  ...{ operation, type, name, properties },
});

test("a preview says what is imported, what of that is changed, and what is made", () => {
  const text = previewText([
    change("create", "registry:host:RegistryHost", "registry"),
    change("import", "host:index:Directory", "data"),
    change("import", "host:index:File", "compose"),
    change("create", "host:index:SystemdUnit", "scan"),
    change("update", "host:index:File", "compose", ["content", "mode"]),
    change("delete", "host:index:File", "odd"),
  ]);
  expect(text).toBe(`  = 1 imported as it is
      Directory data
  ~ 1 imported, then changed
      File compose: content, mode
  + 1 made
      SystemdUnit scan
  ! delete
      File odd
`);
});

test("the stand-ins for secrets are such as the configuration takes", async () => {
  const secrets = await standIns(SETTINGS, undefined);
  const raw = Object.fromEntries(
    Object.entries({
      host: { address: "10.0.20.10", hostKey: HOST_KEY },
      registry: { hostname: SETTINGS.hostname },
      caches: SETTINGS.caches,
    }).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  expect(parseSettings({ ...raw, ...secrets })).not.toHaveProperty("faults");
  expect(await standIns(SETTINGS, undefined)).not.toEqual(secrets);
});
