import { randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import * as v from "valibot";
import { units } from "../../../contract/host-names.ts";
import { ownDirectory } from "../../../contract/host-paths.ts";
import { urlsOf } from "../../../lab/cluster/endpoints.ts";
import { clientFiles, ensureAccount } from "../../../lab/host/client-files.ts";
import { writeLayout } from "../../../lab/images/oci-content.ts";
import { ciImageReference } from "../../../lab/images/sample-images.ts";
import { ports } from "../../../lab/machine/instances.ts";
import { projectRoot, searchPath } from "../../../lab/machine/paths.ts";
import type { Block } from "../documents/markdown.ts";
import { type Content, image, index } from "../images/oci-content.ts";
import { type Ended, instance, onHost } from "./stack.ts";

/** Runs the shell blocks of the documents in the lab, with its values in place of the documents' examples. */

const { authFile, certificateDirectory, registry } = clientFiles(instance);
const storeOnHost = "/opt/registry/data";

/** Where a block runs decides how the registry is reached from there. */
type Value = (where: "here" | "host") => string | Promise<string>;

/** What stands in the documents, and what it is in the lab. Each is made anew for each block that has it. */
const values: readonly (readonly [RegExp, Value])[] = [
  [/"?registry\.example:5050\/app:[$\w.]+"?/g, () => `${registry}/${ciImageReference}`],
  [/\bregistry\.example:5050\b/g, (where) => (where === "here" ? registry : `127.0.0.1:${ports.private}`)],
  [/(?<=node )regwarden\.mjs/g, () => "dist/regwarden.mjs"],
  [/verify\.xml/g, async () => join(await temporary(), "verify.xml")],
  [/(?<=REG_PASS=)\.\.\./g, () => ensureAccount(instance).password],
  [/--netrc\b/g, async () => `--netrc-file ${await netrc()}`],
  [/(?<=--stack )prod\b/g, () => instance],
  [/\bINSTANCE\b/g, () => registry],
  [/\bPUSHGATEWAY\b(?=\/)/g, () => urlsOf(instance).pushgateway],
  [/(?<=repository=)apps\/web tag=1\.4/g, async () => `${await indexWithoutChild()} tag=one`],
  [/\bRUN\b/g, collectedRun],
  [/\bRETENTION_RUN\b/g, retainedRun],
  [/\bJOURNAL\b/g, repairJournal],
];

const temporary = () => mkdtemp(join(tmpdir(), "regwarden-documents-"));

/** The account for curl, as an operator has it. */
async function netrc(): Promise<string> {
  const file = join(await temporary(), "netrc");
  const { user, password } = ensureAccount(instance);
  const [host = ""] = registry.split(":");
  await writeFile(file, `machine ${host} login ${user} password ${password}\n`, { mode: 0o600 });
  return file;
}

/** The block's text with the lab's values. */
async function withValues(text: string, where: "here" | "host"): Promise<string> {
  let filled = text;
  for (const [pattern, value] of values) {
    if (filled.search(pattern) !== -1) {
      const own = await value(where);
      filled = filled.replaceAll(pattern, () => own);
    }
  }
  return filled;
}

const repositories = `${storeOnHost}/private/docker/registry/v2/repositories`;

/** Pushes an image under a tag to a new repository of the lab's registry; gives the repository's name. */
async function pushed(content: Content, tags: readonly string[] = ["one"]): Promise<string> {
  const name = `ci/documents-${randomBytes(4).toString("hex")}`;
  const layout = await temporary();
  await writeLayout(layout, content, "one");
  const flags = ["--all", "--dest-authfile", authFile, "--dest-cert-dir", certificateDirectory];
  for (const tag of tags)
    await execa("skopeo", ["copy", ...flags, `oci:${layout}:one`, `docker://${registry}/${name}:${tag}`]);
  return name;
}

const unique = () => randomBytes(8).toString("hex");

/** A repository whose tag leads to an index that lacks a child, as `garbage-collect -m` leaves it. */
async function indexWithoutChild(): Promise<string> {
  const name = await pushed(index([image(unique(), "linux/amd64"), image(unique(), "linux/arm64")]));
  await onHost(
    `cd ${repositories}/${name}/_manifests && top=$(cut -d: -f2 tags/one/current/link) && ` +
      'rm -r "revisions/sha256/$(ls revisions/sha256 | grep -v "$top" | head -1)"',
  );
  return name;
}

/** Name of a collection's run that has something in the quarantine: a tag that was pushed and removed by hand. */
async function collectedRun(): Promise<string> {
  const name = await pushed(image(unique(), "linux/amd64"));
  await onHost(`rm -r ${repositories}/${name}/_manifests/tags/one`);
  const immediately = "--dead-for 0s --grace 0s --overwritten 0s --budget 100%";
  const report = await onHost(`regwarden gc ${storeOnHost} --registry private ${immediately} --apply --json`);
  return v.parse(v.object({ run: v.string() }), JSON.parse(report)).run;
}

/** Name of a run of retention that has dropped a tag: the lab's rules keep three of a repository. */
async function retainedRun(): Promise<string> {
  await pushed(image(unique(), "linux/amd64"), ["a", "b", "c", "d"]);
  await onHost(`systemctl start ${units.retain}`);
  const newest = await onHost(`ls -t ${storeOnHost}/${ownDirectory}/retained | head -1`);
  return newest.trim();
}

/** What makes the lab's store sound again after a block. */
const mending: (() => Promise<unknown>)[] = [];

/** A journal of a repair, which wrote the link of a child back. */
async function repairJournal(): Promise<string> {
  await indexWithoutChild();
  mending.push(() => onHost(`regwarden repair ${storeOnHost} --apply`));
  const report = await onHost(`regwarden repair ${storeOnHost} --apply --json`);
  return v.parse(v.object({ journal: v.string() }), JSON.parse(report)).journal;
}

/** A shell that stops at the first command which ends with another code than these. */
const guarded = (text: string, exits: readonly number[]) =>
  `set -u\ntrap 'code=$?; case $code in ${exits.join("|")}) ;; *) exit "$code" ;; esac' ERR\n${text}\nexit 0\n`;

/** Runs a block where its document says, and gives how it ended: 0 when each command ended as the document says. */
export async function runBlock({ text, treatment }: Block): Promise<Ended> {
  if (treatment === undefined || treatment.runs === "never") throw new Error("this block is not to be run");
  const script = guarded(await withValues(text, treatment.runs), treatment.exits);
  const command = treatment.runs === "host" ? onTheHost(script) : here(script);
  const { exitCode, all = "" } = await command;
  for (const mend of mending.splice(0)) await mend();
  return { exitCode: exitCode ?? -1, output: all };
}

// A program that reads its input must find none.
const settings = { reject: false, all: true, stdin: "ignore" } as const;
const authority = join(certificateDirectory, "ca.crt");

function here(script: string) {
  const env = {
    PATH: searchPath(),
    REGWARDEN_LAB: instance,
    NODE_EXTRA_CA_CERTS: authority,
    CURL_CA_BUNDLE: authority,
    NO_COLOR: "1",
  };
  return execa("bash", ["-c", script], { ...settings, cwd: projectRoot, env });
}

/** By SSH, as an operator: the host's key is checked. */
function onTheHost(script: string) {
  const encoded = Buffer.from(script).toString("base64");
  return execa(clientFiles(instance).sshCommand, [`bash -c "$(echo ${encoded} | base64 -d)"`], settings);
}
