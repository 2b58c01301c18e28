import type { Metric } from "../../contract/metrics.ts";

/** One value of a metric of the contract. */
export interface Sample<Name extends string = string> {
  readonly name: Name;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * The samples as text, in the order of the table. All metrics are gauges.
 *
 * Errors: a sample whose labels are not those of the contract is a fault of this program.
 * Source: Prometheus documentation, "Exposition formats" (text format 0.0.4).
 */
export function renderExposition<Name extends string>(
  metrics: Readonly<Record<Name, Metric>>,
  samples: readonly Sample<NoInfer<Name>>[],
): string {
  const byName = Map.groupBy(samples, ({ name }) => name);
  const names = Object.keys(metrics) as Name[];
  return names.map((name) => renderFamily(name, metrics[name], byName.get(name) ?? [])).join("");
}

function renderFamily(name: string, { help, labels }: Metric, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(
    (sample) => `${name}${renderLabels(sample, labels)} ${renderValue(sample.value)}\n`,
  );
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} gauge\n${lines.join("")}`;
}

function renderLabels({ name, labels }: Sample, expected: readonly string[]): string {
  const given = Object.keys(labels);
  if (given.length !== expected.length || !expected.every((label) => Object.hasOwn(labels, label)))
    throw new Error(`${name} takes the labels ${expected.join(", ")}, got ${given.join(", ")}`);
  const pairs = expected.map((label) => `${label}="${escapeLabel(labels[label] ?? "")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function renderValue(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

/** The value that a text holds for a metric without labels, or undefined. */
export function readGauge(text: string, name: string): number | undefined {
  for (const line of text.split("\n")) {
    const [first, second, ...rest] = line.trim().split(/\s+/);
    if (first !== name || second === undefined || rest.length > 1) continue;
    const value = Number(second);
    return Number.isFinite(value) ? value : undefined;
  }
  return undefined;
}
