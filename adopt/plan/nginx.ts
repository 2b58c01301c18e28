/** What an nginx in front of registries listens for, as far as a configuration follows from it. */
export interface Listener {
  readonly port: number;
  readonly isTls: boolean;
  /** Names that it answers to; none where it answers to any. */
  readonly names: readonly string[];
  /** Hosts behind it, such as `registry-private`. */
  readonly backends: readonly string[];
}

interface Directive {
  readonly words: readonly string[];
  readonly inside: readonly Directive[];
}

/** The servers of a configuration, by port. Source: nginx documentation, "Beginner's Guide", configuration file's structure. */
export function listenersOf(text: string): Listener[] {
  const http = blocks(parse(text), "http").flatMap(({ inside }) => inside);
  const upstreams = new Map(
    blocks(http, "upstream").map(({ words, inside }) => [
      words[1] ?? "",
      named(inside, "server").map(([, address = ""]) => hostOf(address)),
    ]),
  );
  return blocks(http, "server").flatMap(({ inside }) => {
    const targets = everywhere(inside, "proxy_pass").map(([, url = ""]) =>
      hostOf(url.replace(/^\w+:\/\//, "")),
    );
    const backends = [...new Set(targets.flatMap((target) => upstreams.get(target) ?? [target]))];
    const names = named(inside, "server_name")
      .flatMap(([, ...each]) => each)
      .filter((name) => name !== "_");
    return named(inside, "listen").flatMap(([, address = "", ...options]) => {
      const port = Number(/(\d+)$/.exec(address)?.[1]);
      return Number.isNaN(port) ? [] : [{ port, isTls: options.includes("ssl"), names, backends }];
    });
  });
}

/** The size of the blob cache that it keeps, as it is written; undefined without one. */
export function cacheSizeOf(text: string): string | undefined {
  const [path = []] = everywhere(parse(text), "proxy_cache_path");
  return path.find((word) => word.startsWith("max_size="))?.slice("max_size=".length);
}

function hostOf(address: string): string {
  return address.split(/[:/]/)[0] ?? address;
}

function blocks(directives: readonly Directive[], name: string): Directive[] {
  return directives.filter(({ words }) => words[0] === name);
}

function named(directives: readonly Directive[], name: string): (readonly string[])[] {
  return blocks(directives, name).map(({ words }) => words);
}

function everywhere(directives: readonly Directive[], name: string): (readonly string[])[] {
  return directives.flatMap(({ words, inside }) => [
    ...(words[0] === name ? [words] : []),
    ...everywhere(inside, name),
  ]);
}

function parse(text: string): Directive[] {
  const tokens =
    text.match(/#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|(?:\$\{\w+\}|[^\s{};"'])+/g) ?? [];
  const root: Directive[] = [];
  const open: Directive[][] = [root];
  let words: string[] = [];
  for (const token of tokens) {
    const current = open.at(-1) ?? root;
    if (token.startsWith("#")) continue;
    if (token === "}") open.pop();
    else if (token === ";" || token === "{") {
      const inside: Directive[] = [];
      if (words.length > 0) current.push({ words, inside });
      if (token === "{") open.push(inside);
      words = [];
    } else words.push(token.replace(/^(["'])(.*)\1$/s, "$2"));
  }
  return root;
}
