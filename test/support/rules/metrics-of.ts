const AGGREGATION = /\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
const WORDS = new Set(["and", "or", "unless", "bool", "offset", "sum", "max", "min", "avg", "count"]);

/** Names of the metrics in a PromQL expression: what is neither a label, a function, nor a word of the language. */
export function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/\{[^}]*\}/g, "")
    .replace(/\[[^\]]*\]/g, "")
    .replace(AGGREGATION, "");
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*(?!\w)(?!\s*\()/g)].map(([name]) => name);
  return [...new Set(names)].filter((name) => !WORDS.has(name));
}
