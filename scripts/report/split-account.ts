import type { Account } from "../http/exchange.ts";

/** A URL without the account in it, and the account: a message may then show the URL, and no header holds both. */
export function splitAccount(text: string): { readonly url: URL; readonly account: Account | undefined } {
  const url = new URL(text);
  const account = { user: decoded(url.username), password: decoded(url.password) };
  url.username = "";
  url.password = "";
  return { url, account: account.user + account.password === "" ? undefined : account };
}

/** A percent sign that begins no escape stands for itself: passwords are often pasted as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
