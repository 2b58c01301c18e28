import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { byResource, changeOf, type ResourceChange } from "../../engine/changes.ts";

/** A secret as engine events have it. */
export const secretValue = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};

export interface Step {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  /** Paths that differ in the inputs. */
  readonly paths?: readonly string[];
  /** Paths where what was read differs from the program. */
  readonly drifted?: readonly string[];
  /** What was read of the resource. */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** A step as the engine announces it. */
export function stepEvent(step: Step): EngineEvent {
  const { op, type, name, before, after, paths = [], drifted = [], outputs = before } = step;
  const urn = `urn:pulumi:prod::regwarden::${type}::${name}`;
  const state = (inputs: unknown, read: unknown) => ({
    type,
    urn,
    id: "",
    parent: "",
    provider: "",
    inputs,
    outputs: read,
  });
  const diff = (inputDiff: boolean) => (path: string) => [path, { diffKind: "update", inputDiff }];
  const metadata = {
    op,
    urn,
    type,
    provider: "",
    ...(before && { old: state(before, outputs) }),
    ...(after && { new: state(after, {}) }),
    ...(paths.length + drifted.length > 0 && {
      detailedDiff: Object.fromEntries([...paths.map(diff(true)), ...drifted.map(diff(false))]),
    }),
  };
  return {
    sequence: 1,
    timestamp: 0,
    resourcePreEvent: { metadata, planning: true },
  } as unknown as EngineEvent;
}

/** What a preview of these steps finds. */
export function changesOf(steps: readonly Step[]): ResourceChange[] {
  const changes = steps.map((step) => changeOf(stepEvent(step)));
  return byResource(changes.filter((change) => change !== undefined));
}
