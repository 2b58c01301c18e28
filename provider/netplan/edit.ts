import { isDeepStrictEqual } from "node:util";
import { dump, EVENT_ID, type Event, FAILSAFE_SCHEMA, loadAll, parseEvents } from "js-yaml";

/** YAML as netplan reads it: every scalar is a text, as written. */
export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };
export type YamlMapping = { readonly [key: string]: Yaml };

const options = { schema: FAILSAFE_SCHEMA } as const;

/** Errors: throws where the text is no YAML. An empty file is an empty mapping. */
export function readYaml(text: string): Yaml {
  return (loadAll(text, options)[0] ?? {}) as Yaml;
}

export function isMapping(value: Yaml | undefined): value is YamlMapping {
  return typeof value === "object" && !Array.isArray(value);
}

export function valueAt(value: Yaml | undefined, path: readonly string[]): Yaml | undefined {
  return path.reduce<Yaml | undefined>((at, key) => (isMapping(at) ? at[key] : undefined), value);
}

/**
 * Sets the value at a path, or removes the key where the value is undefined, and leaves every other line as it is,
 * comments included. A file whose style does not allow that (a mapping on one line) is written anew below its head
 * comment. Either way the result is read again and has exactly this change.
 */
export function setInYaml(text: string, path: readonly string[], value: Yaml | undefined): string {
  const wanted = withValue(readYaml(text), path, value);
  if (isDeepStrictEqual(wanted, readYaml(text))) return text;
  const edited = editLines(text, path, value);
  if (edited !== undefined && isSame(edited, wanted)) return edited;
  const head = /^(?:[ \t]*(?:#[^\n]*)?\n)*/.exec(text)?.[0] ?? "";
  return `${head}${dump(wanted, { ...options, lineWidth: -1, noRefs: true })}`;
}

function isSame(text: string, wanted: Yaml): boolean {
  try {
    return isDeepStrictEqual(readYaml(text), wanted);
  } catch {
    return false;
  }
}

/** A mapping that would be left empty goes too: netplan refuses a key without value. */
function withValue(at: Yaml | undefined, [key, ...rest]: readonly string[], value: Yaml | undefined): Yaml {
  const mapping = isMapping(at) ? at : {};
  if (key === undefined) return mapping;
  const next = rest.length === 0 ? value : withValue(mapping[key], rest, value);
  const { [key]: _, ...others } = mapping;
  if (next === undefined || (value === undefined && isMapping(next) && Object.keys(next).length === 0))
    return others;
  return { ...mapping, [key]: next };
}

function editLines(text: string, path: readonly string[], value: Yaml | undefined): string | undefined {
  const lines = text.split("\n");
  const entries = entriesOf(text);
  const at = (keys: readonly string[]) => entries.find((entry) => isDeepStrictEqual(entry.path, keys));
  if (value === undefined) {
    // The topmost mapping that this would leave empty.
    const kept = depthOf(withValue(readYaml(text), path, undefined), path);
    const entry = at(path.slice(0, kept + 1));
    return entry && lines.toSpliced(entry.line, entry.lines).join("\n");
  }
  const depth = depthOf(readYaml(text), path);
  const [key = "", ...inner] = path.slice(Math.min(depth, path.length - 1));
  const nested = inner.reduceRight<Yaml>((below, each) => ({ [each]: below }), value);
  const rendered = (column: number) =>
    dump({ [key]: nested }, { ...options, lineWidth: -1, noRefs: true })
      .trimEnd()
      .split("\n")
      .map((line) => `${" ".repeat(column)}${line}`);
  if (depth === path.length) {
    const entry = at(path);
    return entry && lines.toSpliced(entry.line, entry.lines, ...rendered(entry.column)).join("\n");
  }
  const parent = at(path.slice(0, depth));
  const sibling = entries.find(
    (entry) =>
      entry.path.length === depth + 1 && isDeepStrictEqual(entry.path.slice(0, depth), path.slice(0, depth)),
  );
  if (parent === undefined || sibling === undefined) return undefined;
  return lines.toSpliced(parent.line + parent.lines, 0, ...rendered(sibling.column)).join("\n");
}

/** How many keys of the path are there. */
function depthOf(value: Yaml, path: readonly string[]): number {
  const missing = path.findIndex((_, at) => valueAt(value, path.slice(0, at + 1)) === undefined);
  return missing === -1 ? path.length : missing;
}

/** A key of a mapping, with the lines that it and its value stand on. */
interface Entry {
  readonly path: readonly string[];
  readonly line: number;
  readonly column: number;
  readonly lines: number;
}

/** All keys of all mappings that are in no list. */
function entriesOf(text: string): Entry[] {
  const starts = [...text.matchAll(/^/gm)].map(({ index }) => index);
  const lineOf = (offset: number) => starts.findLastIndex((start) => start <= offset);
  const isContent = (line: number) => !/^\s*(#.*)?$/.test(text.split("\n")[line] ?? "");
  const events = parseEvents(text, {});
  const entries: Entry[] = [];
  const walk = (at: number, path: readonly string[] | undefined): number => {
    const event = events[at];
    if (event?.type === EVENT_ID.SEQUENCE) {
      let next = at + 1;
      while (events[next]?.type !== EVENT_ID.POP) next = walk(next, undefined);
      return next + 1;
    }
    if (event?.type !== EVENT_ID.MAPPING) return at + 1;
    let next = at + 1;
    while (events[next]?.type !== EVENT_ID.POP) {
      const start = startOf(events[next]) ?? 0;
      const key = text.slice(start, (events[next] as { valueEnd?: number }).valueEnd);
      const own = path && [...path, key];
      next = walk(next + 1, own);
      const [line, after] = [lineOf(start), nextStart(events, next)];
      let end = after === undefined ? starts.length : lineOf(after);
      while (end > line + 1 && !isContent(end - 1)) end -= 1;
      if (own) entries.push({ path: own, line, column: start - (starts[line] ?? 0), lines: end - line });
    }
    return next + 1;
  };
  const root = events.findIndex(({ type }) => type === EVENT_ID.MAPPING);
  if (root !== -1) walk(root, []);
  return entries;
}

function startOf(event: Event | undefined): number | undefined {
  return event?.type === EVENT_ID.SCALAR ? event.valueStart : undefined;
}

function nextStart(events: readonly Event[], from: number): number | undefined {
  return events
    .slice(from)
    .map(startOf)
    .find((start) => start !== undefined);
}
