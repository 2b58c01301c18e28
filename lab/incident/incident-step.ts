import { messageOf } from "../machine/errors.ts";
import { bad, faint, good, heading } from "../machine/screen.ts";

/** Something that was looked at, and whether it is what the story says. */
export interface Fact {
  readonly text: string;
  readonly isAsTold: boolean;
}

/** One act of the incident. */
export interface Act {
  readonly title: string;
  /** What a person would type to do the same. */
  readonly commands: readonly string[];
  /** Does it and looks. */
  readonly play: () => Promise<readonly Fact[]>;
  /** What it means, in a sentence or two. */
  readonly meaning: string;
}

export function fact(text: string, isAsTold: boolean): Fact {
  return { text, isAsTold };
}

const width = 96;

/** Text in lines of at most {@link width} characters. */
export function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((each) => `${indent}${each}`).join("\n");
}

async function factsOf(act: Act): Promise<readonly Fact[]> {
  try {
    return await act.play();
  } catch (error) {
    return [fact(messageOf(error), false)];
  }
}

/** Plays one act and tells it. Gives the facts that differ from the story. */
export async function playAct(act: Act, at: number, print: (text: string) => void): Promise<readonly Fact[]> {
  print(heading(`${at}. ${act.title}`));
  for (const command of act.commands) print(`   ${faint(`$ ${command}`)}`);
  const facts = await factsOf(act);
  for (const { text, isAsTold } of facts) {
    const [first = "", ...more] = text.split("\n");
    print(`   ${isAsTold ? good("●") : bad("● not as told:")} ${first}`);
    for (const line of more) print(`     ${line}`);
  }
  print(wrapped(act.meaning, "   "));
  return facts.filter(({ isAsTold }) => !isAsTold);
}
