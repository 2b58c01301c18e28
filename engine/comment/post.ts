import { createSend, ForgeError, type Send } from "./client.ts";
import type { Comment, Forge } from "./forge.ts";

/** What is to stand on a pull request. */
export interface Wanted {
  /** First line of our comments for this stack. */
  readonly marker: string;
  readonly body: string;
  /** Whether a comment is made where there is none; else one that is there is edited at most. */
  readonly isNews: boolean;
}

export type Posted = "created" | "edited" | "unchanged" | "not needed";

const tries = 4;
const longestPauseSeconds = 60;
/** A list without an end is a fault of the forge. */
const maxPages = 1000;

/**
 * Makes the one comment of a stack say what is wanted. It is found by its marker and by our own account: a text that
 * another account wrote is never edited, whatever it begins with. Should two runs at once have made two, the first
 * stays. Each try begins with reading what is there, so that none makes a second comment.
 *
 * Errors: ForgeError.
 */
export async function postComment(forge: Forge, token: string, wanted: Wanted): Promise<Posted> {
  const send = createSend(forge.name, new URL(forge.whoAmI.url).origin, token, forge.rights);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptPost(forge, send, wanted);
    } catch (error) {
      if (!(error instanceof ForgeError)) throw error;
      const { retryAfterSeconds } = error;
      if (retryAfterSeconds === undefined || retryAfterSeconds > longestPauseSeconds || attempt === tries)
        throw error;
      await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
    }
  }
}

async function attemptPost(forge: Forge, send: Send, { marker, body, isNews }: Wanted): Promise<Posted> {
  const account = forge.accountOf(await send(forge.whoAmI));
  if (account === undefined) throw new ForgeError(`${forge.name} does not say whose the token is`);
  const all = await allComments(forge, send);
  const [first, ...more] = all.filter((one) => one.author === account && one.body.startsWith(marker));
  for (const { id } of more) await send(forge.remove(id));
  if (first === undefined) {
    if (!isNews) return "not needed";
    await send(forge.create(body));
    return "created";
  }
  if (sameText(first.body, body)) return "unchanged";
  await send(forge.edit(first.id, body));
  return "edited";
}

async function allComments(forge: Forge, send: Send): Promise<readonly Comment[]> {
  const byId = new Map<string, Comment>();
  let request: Forge["firstPage"] | undefined = forge.firstPage;
  for (let page = 1; request !== undefined; page += 1) {
    if (page > maxPages) throw new ForgeError(`${forge.name} lists comments without an end`);
    const answer = await send(request);
    const comments = forge.commentsOf(answer);
    if (comments === undefined) throw new ForgeError(`${forge.name} gave no list of comments`);
    const before = byId.size;
    for (const comment of comments) byId.set(comment.id, comment);
    const read = { pages: page, comments: byId.size, added: byId.size - before };
    request = forge.nextPage(answer, read);
  }
  return [...byId.values()];
}

/** Forges keep other line ends than they are sent, and trim. */
function sameText(a: string, b: string): boolean {
  const plain = (text: string) => text.replaceAll("\r\n", "\n").trim();
  return plain(a) === plain(b);
}
