/** A request to a forge's API. */
export interface ForgeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** What of a forge's answer decides. */
export interface ForgeAnswer {
  /** Parsed JSON; undefined where the answer has none. */
  readonly body: unknown;
  readonly headers: Headers;
}

export interface Comment {
  readonly id: string;
  readonly author: string;
  readonly body: string;
}

/** How far a list has been read. */
export interface PagesRead {
  readonly pages: number;
  readonly comments: number;
  /** How many of them the last page brought. */
  readonly added: number;
}

/** How one kind of forge is asked, as plain data: requests out, answers in. */
export interface Forge {
  readonly name: string;
  /** Longest comment that it takes. */
  readonly maxCommentBytes: number;
  /** What the token must be allowed to do. */
  readonly rights: string;
  /** Asks who the token belongs to. */
  readonly whoAmI: ForgeRequest;
  /** Undefined for an answer that names no account. */
  readonly accountOf: (answer: ForgeAnswer) => string | undefined;
  readonly firstPage: ForgeRequest;
  /** Undefined for an answer that is no list of comments. */
  readonly commentsOf: (answer: ForgeAnswer) => readonly Comment[] | undefined;
  /** The page after this one; undefined after the last. */
  readonly nextPage: (answer: ForgeAnswer, read: PagesRead) => ForgeRequest | undefined;
  readonly create: (body: string) => ForgeRequest;
  readonly edit: (id: string, body: string) => ForgeRequest;
  readonly remove: (id: string) => ForgeRequest;
}
