import { keyOf, type ResourceChange, shortType } from "../../engine/changes.ts";

/** Steps of one resource, as they are announced, with the sign that the engine has for them. */
const kinds = [
  { steps: "import", sign: "=", title: "imported as it is" },
  { steps: "import update", sign: "~", title: "imported, then changed" },
  { steps: "create", sign: "+", title: "made" },
] as const;

/** The changes of a first update for people: what is imported, what of that is changed, what is made. */
export function previewText(changes: readonly ResourceChange[]): string {
  const resources = new Map<string, ResourceChange[]>();
  for (const change of changes)
    resources.set(keyOf(change), [...(resources.get(keyOf(change)) ?? []), change]);
  // Components have nothing on the host.
  const own = [...resources.values()].filter(([first]) => first && !/^(registry|pulumi):/.test(first.type));
  const stepsOf = (all: readonly ResourceChange[]) => all.map(({ operation }) => operation).join(" ");
  const known = kinds.map(({ steps, sign, title }) => {
    const found = own.filter((all) => stepsOf(all) === steps);
    return found.length === 0 ? "" : `  ${sign} ${found.length} ${title}\n${found.map(lineOf).join("")}`;
  });
  // A first update has no other steps; if there is one, it must be seen.
  const others = own.filter((all) => !kinds.some(({ steps }) => steps === stepsOf(all)));
  return [...known, ...others.map((all) => `  ! ${stepsOf(all)}\n${lineOf(all)}`)].join("");
}

function lineOf(all: readonly ResourceChange[]): string {
  const [first] = all;
  if (first === undefined) return "";
  const properties = [...new Set(all.flatMap((change) => change.properties))];
  return `      ${shortType(first)} ${first.name}${properties.length === 0 ? "" : `: ${properties.join(", ")}`}\n`;
}
