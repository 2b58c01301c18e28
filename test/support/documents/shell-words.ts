/** A command as a document shows it: its words, without variables before it, without redirections and quotes. */
export type ShownCommand = readonly string[];

/** The commands of a shell text, well enough for what documents show: no functions, no nesting. */
export function shownCommands(text: string): ShownCommand[] {
  return text
    .replaceAll("\\\n", " ")
    .replaceAll(/(^|\s)#.*$/gm, "$1")
    .split(/\n|;|&&|\|\||\||\$\(|\)|\bthen\b|\bdo\b/)
    .map((command) => withoutPrefix(command.trim().split(/\s+/).filter(isWord).map(unquoted)))
    .filter((words) => words.length > 0);
}

const isWord = (word: string) => word !== "" && !/^\d?[<>]/.test(word);
const unquoted = (word: string) => word.replaceAll(/["']/g, "");

/** Without assignments of variables and programs that run the rest. */
function withoutPrefix(words: readonly string[]): string[] {
  const start = words.findIndex(
    (word) => !/^\w+=/.test(word) && !["sudo", "exec", "if", "while", "!"].includes(word),
  );
  return start === -1 ? [] : words.slice(start);
}
