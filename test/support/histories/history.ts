import { type Content, digest, isManifest, withParts } from "../images/oci-content.ts";
import {
  type Action,
  afterAction,
  emptyModel,
  type Model,
  nameOf,
  removable,
  repositoryOf,
  subjectsOf,
  type Tagged,
  tagsOf,
} from "./model.ts";
import {
  addReferrer,
  build,
  buildReferrer,
  describeShape,
  isForSkopeo,
  type ReferrerForm,
  type Shape,
} from "./shapes.ts";

/**
 * A history of a registry, as data. `pick` names one of the tags that are there by then, taken as often round as it needs,
 * so that any part of a history is a history: what has nothing to act on does nothing.
 */
export type History = readonly Step[];

export type Step =
  | {
      readonly step: "push";
      readonly repository: string;
      readonly tag: string;
      readonly shape: Shape;
      /** Skopeo where it can. */
      readonly by: "requests" | "skopeo";
    }
  | { readonly step: "push again"; readonly pick: number }
  /** Pushes what a tag was given at any time before, to the tag that it had then. */
  | { readonly step: "push former"; readonly pick: number }
  /** A push that ends before its last manifest: after the blobs, or after the manifests below it. */
  | {
      readonly step: "abandon";
      readonly repository: string;
      readonly shape: Shape;
      readonly after: "blobs" | "manifests";
    }
  /** Mounts the blobs of what a tag leads to, and sends no manifest. */
  | { readonly step: "mount"; readonly pick: number; readonly repository: string }
  /** Gives what a tag leads to another tag, which may lead elsewhere until then. */
  | { readonly step: "retag"; readonly pick: number; readonly tag: string }
  /** Brings what a tag leads to into a repository, its blobs by mounting them. */
  | { readonly step: "copy"; readonly pick: number; readonly repository: string; readonly tag: string }
  | {
      readonly step: "attach";
      readonly pick: number;
      /** Which manifest below the tag it is about, the tag's own first. */
      readonly below: number;
      readonly form: ReferrerForm;
      /** A tag as cosign has them; the list under the fallback tag; or nothing, by its digest alone. */
      readonly under: "sig" | "att" | "sbom" | "list" | "nothing";
    }
  | { readonly step: "remove tag"; readonly pick: number }
  /** Removes the manifest that a tag leads to, and all that is about it; does nothing where another tag needs them. */
  | { readonly step: "delete"; readonly pick: number }
  | { readonly step: "begin upload"; readonly repository: string; readonly sizeBytes: number };

/** What is to be done, and what is there then. */
export interface Plan {
  readonly actions: readonly Action[];
  readonly model: Model;
}

/** The actions of a history, one after the other. */
export function planHistory(history: History): Plan {
  let model = emptyModel;
  const actions: Action[] = [];
  for (const step of history)
    for (const action of actionsOf(model, step, actions)) {
      actions.push(action);
      model = afterAction(model, action);
    }
  return { actions, model };
}

type Picking = Exclude<Step, { step: "push" | "push former" | "abandon" | "begin upload" }>;

function actionsOf(model: Model, step: Step, former: readonly Action[]): readonly Action[] {
  if (step.step === "begin upload") {
    const { repository, sizeBytes } = step;
    return [{ act: "begin upload", repository, sizeBytes }];
  }
  if (step.step === "abandon") return abandon(step);
  if (step.step === "push former") {
    const pushes = former.filter((action) => action.act === "push" && action.tag !== null);
    const again = pushes[step.pick % Math.max(pushes.length, 1)];
    return again ? [again] : [];
  }
  if (step.step === "push") {
    const { repository, tag, shape } = step;
    const by = step.by === "skopeo" && isForSkopeo(shape) ? "skopeo" : "requests";
    return [{ ...plainPush, repository, tag, content: build(shape), by, about: describeShape(shape) }];
  }
  const tags = tagsOf(model);
  const picked = tags[step.pick % Math.max(tags.length, 1)];
  return picked ? actionsOn(model, step, picked) : [];
}

const plainPush = { act: "push", sends: "everything", by: "requests", mountsFrom: null } as const;

function actionsOn(model: Model, step: Picking, picked: Tagged): readonly Action[] {
  const { repository, tag, content } = picked;
  const push = { ...plainPush, repository, tag, content, about: `what ${nameOf(picked)} leads to` };
  if (step.step === "push again") return [push];
  if (step.step === "retag") return [{ ...push, tag: step.tag, sends: "manifest" }];
  if (step.step === "copy") {
    const copy = { ...push, repository: step.repository, mountsFrom: repository };
    // What it is about goes along, as cosign copies it.
    const subjects = subjectsOf(repositoryOf(model, repository), content);
    return [
      ...subjects.map((subject) => ({ ...copy, tag: null, content: subject, about: "a subject" })),
      { ...copy, tag: step.tag },
    ];
  }
  if (step.step === "mount") {
    const { about } = push;
    return [{ act: "push blobs", repository: step.repository, content, mountsFrom: repository, about }];
  }
  if (step.step === "attach") return attach(model, step, picked);
  if (step.step === "remove tag") return [{ act: "remove tag", repository, tag }];
  const gone = removable(repositoryOf(model, repository), digest(content)) ?? [];
  return [...gone].map((one) => ({ act: "delete", repository, digest: one }));
}

function abandon({ repository, shape, after }: Extract<Step, { step: "abandon" }>): readonly Action[] {
  const content = build(shape);
  const about = `${describeShape(shape)}, abandoned`;
  if (after === "blobs") return [{ act: "push blobs", repository, content, mountsFrom: null, about }];
  const children = content.parts.filter(isManifest);
  return children.map((child) => ({ ...plainPush, repository, tag: null, content: child, about }));
}

function attach(
  model: Model,
  { below, form, under }: Extract<Step, { step: "attach" }>,
  { repository, content }: Tagged,
): readonly Action[] {
  const manifests = withParts(content).filter(isManifest);
  const subject = manifests[below % manifests.length] ?? content;
  const hex = digest(subject).replace(":", "-");
  // Without a tag of cosign's, only its subject says what it is about.
  const isNamed = under !== "list" && under !== "nothing";
  const referrer = buildReferrer(form === "cosign" && !isNamed ? "signature" : form, subject);
  const push = (tag: string | null, what: Content, about: string): Action => ({
    ...plainPush,
    repository,
    tag,
    content: what,
    about,
  });
  const about = `${form} about ${digest(subject).slice(0, 15)}`;
  if (isNamed) return [push(`${hex}.${under}`, referrer, about)];
  if (under === "nothing") return [push(null, referrer, about)];
  const known = repositoryOf(model, repository).tags.get(hex);
  return [push(null, referrer, about), push(hex, addReferrer(known, referrer), `list with ${about}`)];
}

/** What is done, a line each. */
export function describeHistory(history: History): string {
  return planHistory(history).actions.map(describeAction).join("\n");
}

function describeAction(action: Action): string {
  if (action.act === "begin upload") return `begin an upload to ${action.repository}`;
  if (action.act === "remove tag") return `remove the tag ${nameOf(action)}`;
  if (action.act === "delete") return `delete ${action.repository}@${action.digest.slice(0, 15)}`;
  const { repository, content, mountsFrom, about } = action;
  if (action.act === "push blobs") {
    const how = mountsFrom === null ? "push" : `mount from ${mountsFrom}`;
    return `${how} to ${repository} only the blobs of ${digest(content).slice(0, 15)}: ${about}`;
  }
  const { tag, sends, by } = action;
  const name = tag === null ? `${repository}@` : `${repository}:${tag}`;
  const how = [
    ...(sends === "manifest" ? ["the manifest alone"] : []),
    ...(by === "skopeo" ? ["by skopeo"] : []),
    ...(mountsFrom === null ? [] : [`mounting from ${mountsFrom}`]),
  ];
  return [`push ${name}`, ...how, `${digest(content).slice(0, 15)}:`, about].join(" ");
}
