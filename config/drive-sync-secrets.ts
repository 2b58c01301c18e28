import type { Fault } from "./faults.ts";
import type { Settings } from "./schema.ts";
import { checkRcloneConfig } from "./secret-rules.ts";

const KEY = "driveSyncConfigs";

/** Names of the sites whose configuration of rclone is a secret of this stack. */
export function sitesWithOwnSecret({ cluster }: Partial<Settings>): string[] {
  if (!cluster?.enabled) return [];
  return cluster.driveSync.sites
    .filter(({ externalSecret }) => externalSecret === undefined)
    .map(({ name }) => name);
}

/** What is wrong with the configurations of rclone in the Pulumi configuration. No value reaches a fault. */
export function driveSyncFaults(text: string | undefined, settings: Partial<Settings>): Fault[] {
  const given = parse(text);
  const command = (site: string) =>
    `pulumi config set --secret --path regwarden:${KEY}.${site} < rclone.conf`;
  if (given === undefined) {
    const rule = "an object of rclone configurations by site name";
    return [{ key: KEY, value: "(not shown)", rule, example: command("NAME") }];
  }
  if (settings.cluster === undefined) return [];
  const needed = sitesWithOwnSecret(settings);
  const isFromVault = settings.vault?.driveSync !== undefined && settings.secretsSource === "vault";
  const missing = (isFromVault ? [] : needed)
    .filter((site) => given[site] === undefined)
    .map((site) => fault(site, "(missing)", `set, as the site ${site} has no externalSecret`, command(site)));
  const wrong = Object.entries(given).flatMap(([site, value]) => {
    const rule = checkRcloneConfig(value);
    return rule === undefined ? [] : [fault(site, "(not shown)", rule, command(site))];
  });
  const idle = Object.keys(given)
    .filter((site) => !needed.includes(site))
    .map((site) => fault(site, "(not shown)", "the name of a site without externalSecret", "remove it"));
  return [...missing, ...wrong, ...idle];
}

function parse(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (parsed === null || typeof parsed !== "object" || Array.isArray(parsed)) return undefined;
    const texts = Object.entries(parsed).filter(([, value]) => typeof value === "string");
    return texts.length === Object.keys(parsed).length ? Object.fromEntries(texts) : undefined;
  } catch {
    return undefined;
  }
}

function fault(site: string, value: string, rule: string, example: string): Fault {
  return { key: `${KEY}.${site}`, value, rule, example };
}
