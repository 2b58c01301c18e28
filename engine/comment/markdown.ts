/** Controls but tab and line end, marks that turn the direction of text, and whatever else cannot be seen. */
const invisible = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text with its invisible characters written out. */
function visible(text: string): string {
  return text.replace(invisible, (character) => {
    const code = character.codePointAt(0)?.toString(16) ?? "";
    return `\\u${code.padStart(4, "0")}`;
  });
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, " "));
}

/** Backticks that no run in the text is as long as. */
function fence(text: string, least: number): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}

/** Text as code within a line: nothing in it is a mention, a link, a tag or a command. Source: CommonMark, "Code spans". */
export function code(text: string): string {
  const line = oneLine(text);
  if (line.trim() === "") return "";
  const ticks = fence(line, 1);
  const pad = /^[` ]|[` ]$/.test(line) ? " " : "";
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

/**
 * Text as code within a cell of a table. A pipe ends a cell even in code, and forges differ in what a backslash before
 * it means when another one precedes: so it is written out.
 */
export function cell(text: string): string {
  return code(text.replaceAll("|", "\\u007c"));
}

/** Text as code within HTML. Forges look for mentions and references in all but code. */
export function htmlCode(text: string): string {
  const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return `<code>${oneLine(text).replace(/[&<>"]/g, (character) => escapes[character] ?? "")}</code>`;
}

/** Lines as a block of code that no line of it can end. */
export function codeBlock(language: string, lines: readonly string[]): string {
  const text = lines.map(visible).join("\n");
  const ticks = fence(text, 3);
  return `${ticks}${language}\n${text}\n${ticks}`;
}

/** A link; the text alone where the address is none of the web. */
export function link(text: string, address: string | undefined): string {
  const url = URL.parse(address ?? "");
  if (url === null || !["http:", "https:"].includes(url.protocol)) return text;
  return `[${text}](<${url.href}>)`;
}
