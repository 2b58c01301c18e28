/** First line of every file that may hold a comment: the answer to "may I edit this here?". */
export const MANAGED_BY =
  "Written by regwarden: a change made here shows as drift and is undone by the next update.";
