import { load } from "js-yaml";
import * as v from "valibot";

/** An alert or a recording; fields that the lab does not touch are kept as they are. */
const rule = v.looseObject({ alert: v.optional(v.string()), for: v.optional(v.string()) });
const group = v.looseObject({ name: v.string(), rules: v.array(rule) });
const ruleFile = v.looseObject({ groups: v.array(group) });

export type RuleGroup = v.InferOutput<typeof group>;

const metadata = v.looseObject({ name: v.string(), namespace: v.string() });
const prometheusRule = v.looseObject({ metadata, spec: ruleFile });
const configMap = v.looseObject({ metadata, data: v.optional(v.record(v.string(), v.string()), {}) });

/** Rules of one object, to be written as one file. */
export interface RuleFile {
  readonly name: string;
  readonly groups: readonly RuleGroup[];
}

/** The rules of PrometheusRule objects. Errors: throws on one that holds no list of groups. */
export function rulesOfPrometheusRules(objects: readonly unknown[]): RuleFile[] {
  return objects.map((object) => {
    const { metadata, spec } = v.parse(prometheusRule, object);
    return { name: `${metadata.namespace}-${metadata.name}`, groups: spec.groups };
  });
}

/** The rules in ConfigMaps: every YAML value with a list of groups, as a Prometheus that mounts them would read it. */
export function rulesOfConfigMaps(objects: readonly unknown[]): RuleFile[] {
  return objects.flatMap((object) => {
    const { metadata, data } = v.parse(configMap, object);
    const texts = Object.entries(data).filter(([key]) => /\.ya?ml$/.test(key));
    return texts.flatMap(([key, text]) => {
      const found = v.safeParse(ruleFile, parsedYaml(text));
      if (!found.success) return [];
      return [{ name: `${metadata.namespace}-${metadata.name}-${key}`, groups: found.output.groups }];
    });
  });
}

function parsedYaml(text: string): unknown {
  try {
    return load(text);
  } catch {
    return undefined;
  }
}

/** Milliseconds of each unit of a Prometheus duration. Source: Prometheus, model.ParseDuration. */
const unitMilliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

/** Milliseconds of a Prometheus duration such as `1h30m`. */
export function durationMilliseconds(duration: string): number {
  if (duration === "0") return 0;
  const parts = [...duration.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== duration) {
    throw new TypeError(`"${duration}" is no Prometheus duration`);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (unitMilliseconds[unit ?? ""] ?? 0), 0);
}

/**
 * The same rules with every `for` multiplied by a factor, so that a demonstration need not last the half hour that a
 * real alert waits. Nothing else changes: not what is asked, and no range in it.
 *
 * Units: `for` is rounded to whole milliseconds.
 */
export function scaleFor(files: readonly RuleFile[], factor: number): RuleFile[] {
  const scaled = (duration: string) => `${Math.round(durationMilliseconds(duration) * factor)}ms`;
  return files.map((file) => ({
    ...file,
    groups: file.groups.map((group) => ({
      ...group,
      rules: group.rules.map((rule) => (rule.for === undefined ? rule : { ...rule, for: scaled(rule.for) })),
    })),
  }));
}

/** The `for` of an alert as it stands in the rules; undefined where there is no such alert or it waits for nothing. */
export function waitOf(files: readonly RuleFile[], alert: string): string | undefined {
  const rules = files.flatMap(({ groups }) => groups.flatMap((group) => group.rules));
  return rules.find((rule) => rule.alert === alert)?.for;
}
