import { type ResourceChange, shortType } from "./changes.ts";

/** Rows of the table; a comment on GitHub holds 65,536 characters. */
const maxRows = 100;

/** What a preview says on a pull request; empty when nothing changes. Names only, never a value. */
export function previewMarkdown(stack: string, changes: readonly ResourceChange[]): string {
  if (changes.length === 0) return "";
  const rows = changes
    .slice(0, maxRows)
    .map((change) => row([change.operation, shortType(change), change.name, change.properties.join(", ")]));
  const rest = changes.length - maxRows;
  return [
    `### Stack ${code(stack)}: ${changes.length} ${changes.length === 1 ? "resource changes" : "resources change"}`,
    "",
    "| operation | kind | resource | properties |",
    "| --- | --- | --- | --- |",
    ...rows,
    ...(rest > 0 ? ["", `and ${rest} more`] : []),
    "",
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => (cell === "" ? "" : code(cell))).join(" | ")} |`;
}

/** Names can hold anything; a pipe ends a cell even in code, a backtick or a line end the code. */
function code(text: string): string {
  return `\`${text.replaceAll("`", "'").replaceAll("|", "\\|").replaceAll(/\s+/g, " ")}\``;
}
