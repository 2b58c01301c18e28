/** Node's `fs` in which the bundles, which another step builds, have some text. */
export function withBundles(fs: typeof import("node:fs")) {
  const readFileSync = (path: string, ...rest: never[]) =>
    /dist.regwarden[-a-z]*\.mjs$/.test(path) ? Buffer.from("the bundle") : fs.readFileSync(path, ...rest);
  return { ...fs, readFileSync };
}
