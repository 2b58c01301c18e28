/** What a policy allows to read. */
export interface PolicySubject {
  /** The mount of the KV engine of version 2. */
  readonly mount: string;
  /** Paths of secrets, each with the key of the configuration that names it. */
  readonly secrets: readonly { readonly key: string; readonly path: string }[];
  /** API paths of what the stack makes in Vault. */
  readonly own: readonly string[];
}

const head = `# What a token of the stack may do: read the secrets that its configuration names. No child token is made of it, and
# nothing is listed or written.

# The plugin asks for how long its token lives.
${readOf("auth/token/lookup-self")}
`;

/**
 * The least policy, as HCL: reading each path by its full name.
 *
 * Source: Vault's documentation, "Policies" and "KV secrets engine, version 2, ACL rules": data lies below `data/`.
 */
export function policyDocument({ mount, secrets, own }: PolicySubject): string {
  const paths = [...new Set(secrets.map(({ path }) => path))].map((path) => {
    const keys = secrets.filter((secret) => secret.path === path).map(({ key }) => key);
    return `\n# ${keys.join(", ")}\n${readOf(`${mount}/data/${path}`)}\n`;
  });
  const made =
    own.length === 0
      ? ""
      : `\n# What the stack makes here: drift runs read it.\n${own.map(readOf).join("\n")}\n`;
  return [head, ...paths, made].join("");
}

function readOf(path: string): string {
  return `path "${path}" { capabilities = ["read"] }`;
}
