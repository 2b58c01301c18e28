import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ensureRootFileSystem, rootFileSystemHash } from "../host/root-file-system.ts";
import { LabError } from "../machine/errors.ts";
import { withLock } from "../machine/lock.ts";
import { cacheDirectory, nodeBinary } from "../machine/paths.ts";
import { run, type StepOptions } from "../machine/run.ts";
import { type ImageRole, type Program, type Recipe, recipes } from "./recipes.ts";

/** An image built from packages: a file system as a tar file, and the instructions for its configuration. */
export interface BuiltImage {
  readonly tarFile: string;
  /** The same hash means the same content. */
  readonly hash: string;
  readonly changes: readonly string[];
}

/** Label with the hash of what an image was built from. */
export const builtHashLabel = "org.regwarden.lab.hash";

const commonDirectories = [
  "dev",
  "proc",
  "sys",
  "tmp",
  "run",
  "root",
  "home",
  "etc",
  "usr/bin",
  "usr/sbin",
].concat(["usr/lib", "usr/lib64", "usr/local/bin", "var/lock", "var/log/nginx", "etc/ssl/certs"]);
const commonLinks = {
  bin: "usr/bin",
  sbin: "usr/sbin",
  lib: "usr/lib",
  lib64: "usr/lib64",
  "var/run": "/run",
};
const commonCopies = ["etc/ssl/certs/ca-certificates.crt", "etc/nsswitch.conf"];
const commonFiles = {
  "etc/passwd": `root:x:0:0:root:/root:/bin/sh
nginx:x:101:101:nginx:/var/cache/nginx:/sbin/nologin
node:x:1000:1000::/home/node:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin
`,
  "etc/group": "root:x:0:\nnginx:x:101:\nnode:x:1000:\nnogroup:x:65534:\n",
};

/** Hash of everything that the image of a role is built from. */
export function builtImageHash(role: ImageRole): string {
  const recipe = recipes[role];
  const parts = [commonDirectories, commonLinks, commonCopies, commonFiles, recipe, rootFileSystemHash];
  const node = recipe.programs.some(({ from }) => from === "node") ? process.version : "";
  return createHash("sha256")
    .update(JSON.stringify([...parts, node]))
    .digest("hex")
    .slice(0, 12);
}

/** The loader of the root file system; it also lists which libraries of the same root a program needs. */
function loaderOf(root: string): string {
  for (const directory of ["usr/lib64", "usr/lib"]) {
    const found = readdirSync(join(root, directory)).find((name) => name.startsWith("ld-linux"));
    if (found !== undefined) return join(directory, found);
  }
  throw new LabError("E_MISSING", `no dynamic loader in ${root}`);
}

/** Paths, in the root file system, of the libraries that a program needs, the loader included. */
async function librariesOf(program: string, root: string): Promise<string[]> {
  const loader = loaderOf(root);
  const triplet = readdirSync(join(root, "usr/lib")).find((name) => name.endsWith("-linux-gnu")) ?? "";
  const command = [
    join(root, loader),
    "--inhibit-cache",
    "--library-path",
    join(root, "usr/lib", triplet),
  ] as const;
  const { stdout } = await run([...command, "--list", program], { quiet: true });
  const paths = stdout.split("\n").map((line) => /=> (\S+)/.exec(line)?.[1]);
  const libraries = paths.filter((path) => path?.startsWith(`${root}/`)) as string[];
  return [...new Set([loader, ...libraries.map((path) => path.slice(root.length + 1))])];
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(realpathSync(from), to);
}

async function addPrograms(programs: readonly Program[], root: string, image: string): Promise<void> {
  for (const { from, to } of programs) {
    const source = from === "node" ? realpathSync(nodeBinary) : join(root, from);
    await copy(source, join(image, to));
    for (const library of await librariesOf(source, root))
      await copy(join(root, library), join(image, library));
  }
}

async function addBusybox(root: string, image: string): Promise<void> {
  await copy(join(root, "usr/bin/busybox"), join(image, "usr/bin/busybox"));
  const { stdout } = await run([join(root, "usr/bin/busybox"), "--list"], { quiet: true });
  for (const applet of stdout.split("\n").filter((name) => name !== "busybox")) {
    await symlink("busybox", join(image, "usr/bin", applet));
  }
}

async function addFiles(recipe: Recipe, root: string, image: string): Promise<void> {
  for (const path of [...commonCopies, ...(recipe.copies ?? [])])
    await copy(join(root, path), join(image, path));
  for (const [path, content] of Object.entries({ ...commonFiles, ...recipe.files })) {
    await mkdir(dirname(join(image, path)), { recursive: true });
    await writeFile(join(image, path), content);
    if (content.startsWith("#!")) await chmod(join(image, path), 0o755);
  }
  for (const [path, target] of Object.entries(recipe.links ?? {})) await symlink(target, join(image, path));
}

async function assemble(recipe: Recipe, root: string, image: string): Promise<void> {
  for (const path of [...commonDirectories, ...(recipe.directories ?? [])]) {
    await mkdir(join(image, path), { recursive: true, mode: 0o755 });
  }
  for (const [path, target] of Object.entries(commonLinks)) await symlink(target, join(image, path));
  await chmod(join(image, "tmp"), 0o1777);
  await addBusybox(root, image);
  await addPrograms(recipe.programs, root, image);
  await addFiles(recipe, root, image);
}

async function build(recipe: Recipe, tarFile: string, options: StepOptions): Promise<void> {
  const root = await ensureRootFileSystem(options);
  const building = `${tarFile}.building`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o755 });
  await assemble(recipe, root, building);
  const stable = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
  await run(["tar", "-C", building, ...stable, "-cf", `${tarFile}.new`, "."], {
    ...options,
    dieWithParent: true,
  });
  await rename(`${tarFile}.new`, tarFile);
  await rm(building, { recursive: true, force: true });
}

/** Removes what earlier recipes of this role and killed builds left. */
async function removeOthers(role: ImageRole, tarFile: string): Promise<void> {
  for (const name of await readdir(dirname(tarFile))) {
    const isOther = name.startsWith(`${role}-`) && name !== basename(tarFile);
    if (isOther) await rm(join(dirname(tarFile), name), { recursive: true, force: true });
  }
}

/** The image for a role, built from the root file system's packages and kept in the cache. */
export async function ensureBuiltImage(role: ImageRole, options: StepOptions = {}): Promise<BuiltImage> {
  const recipe = recipes[role];
  const hash = builtImageHash(role);
  const tarFile = join(cacheDirectory(), "images", `${role}-${hash}.tar`);
  const work = async () => {
    if (existsSync(tarFile)) return;
    options.reporter?.say(`building the ${role} image from packages`);
    await build(recipe, tarFile, options);
    await removeOthers(role, tarFile);
  };
  if (!existsSync(tarFile)) await withLock(join(cacheDirectory(), "locks/images"), work, true);
  return { tarFile, hash, changes: [...recipe.changes, `LABEL ${builtHashLabel}=${hash}`] };
}
