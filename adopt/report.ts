import type { AdoptionPlan } from "./plan/plan.ts";

/** Where the plan goes, for its last lines. */
export interface Written {
  readonly stack: string;
  readonly file: string;
  readonly now: Date;
}

/** The plan for people: what stays, what becomes other and why, what is not managed, and what to type. */
export function reportText(plan: AdoptionPlan, written: Written): string {
  return [
    section(
      "Must be settled by hand before the first update",
      plan.blockers.map((each) => `  ${each}`),
    ),
    section("Containers, in the first update", containerLines(plan)),
    section("Deviations from what runs now", deviationLines(plan)),
    section(
      "Scheduled jobs that remove what tags need: disabled (commented, kept) once the stack's own timers have run",
      plan.jobs.flatMap(({ file, number, line, harm }) => [
        `  ${file}:${number}  ${line.trim()}`,
        `    ${harm}`,
      ]),
    ),
    section("In the cluster, taken over in place", plan.cluster?.takenOver.map((each) => `  ${each}`) ?? []),
    section("In the cluster, left as it is", plan.cluster?.stays.map((each) => `  ${each}`) ?? []),
    section("Could not check", plan.cluster?.unchecked.map((each) => `  ${each}`) ?? []),
    section("Not managed", table(plan.unmanaged.map(({ kind, name, note }) => [kind, name, note]))),
    section("Certificates", certificateLines(plan, written.now)),
    section(
      "Secrets to set; adopt reads none",
      plan.secrets.flatMap(({ key, note, command }) => [`  # ${key}: ${note}`, `  ${command}`]),
    ),
    nextSteps(plan, written),
  ]
    .filter((text) => text !== "")
    .join("\n");
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `${title}:\n${lines.join("\n")}\n`;
}

function containerLines({ containers }: AdoptionPlan): string[] {
  const alike = grouped(containers, ({ action, reasons }) => [action, ...reasons].join("\n"));
  return alike.flatMap(([{ action, reasons }, all]) => [
    `  ${action}: ${all.map(({ name }) => name).join(", ")}`,
    ...reasons.map((reason) => `    ${reason}`),
  ]);
}

function deviationLines({ deviations }: AdoptionPlan): string[] {
  const alike = grouped(deviations, ({ was, becomes, why }) => [was, becomes, why].join("\n"));
  return alike.flatMap(([{ was, becomes, why }, all]) => [
    ...all.map(({ what }) => `  ${what}`),
    `    is:      ${was}`,
    `    becomes: ${becomes}`,
    `    because: ${why}`,
  ]);
}

/** Things with the same key together, each group with its first one before it. */
function grouped<T>(things: readonly T[], key: (thing: T) => string): [first: T, all: readonly T[]][] {
  const groups = new Map<string, T[]>();
  for (const thing of things) groups.set(key(thing), [...(groups.get(key(thing)) ?? []), thing]);
  return [...groups.values()].flatMap((all) => (all[0] === undefined ? [] : [[all[0], all]]));
}

const dayMilliseconds = 86_400_000;

function certificateLines({ certificates }: AdoptionPlan, now: Date): string[] {
  return certificates.map(({ path, names, notAfter }) => {
    const days = Math.floor((notAfter.getTime() - now.getTime()) / dayMilliseconds);
    const left = days < 0 ? "EXPIRED" : `${days} days left`;
    return `  ${path}: ${names.join(", ")}, until ${notAfter.toISOString().slice(0, 10)} (${left})`;
  });
}

function nextSteps({ blockers }: AdoptionPlan, { stack, file }: Written): string {
  const steps = [
    ...(blockers.length > 0 ? ["settle what stands at the top"] : []),
    `npx pulumi stack init ${stack}`,
    "set the secrets, as above",
    `npm run preview -- --stack ${stack}      # "=" is imported as it is; nothing is changed`,
    `npm run up -- --stack ${stack}`,
  ];
  return `${file} is written. Then:\n${steps.map((step, at) => `  ${at + 1}. ${step}`).join("\n")}\n`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map(
    (row) =>
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}`,
  );
}
