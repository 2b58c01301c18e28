import * as v from "valibot";
import { deferralText, reachedText } from "../../contract/dns.ts";
import { HostError, isUnreached } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";
import { changedNow, type ResourceKind, unknown } from "./kind.ts";

const schema = v.strictObject({
  host: v.pipe(v.string(), v.nonEmpty("must name the host")),
  reached: v.optional(v.literal(reachedText), reachedText),
});

interface Inputs {
  host: string;
  /** `yes`, or why it could not be reached. */
  reached: string;
}

/** That a host can be reached: see `Reachable` in resources.ts. */
export const reachable: ResourceKind<Inputs> = {
  schema,
  replaceOn: [],
  settings: ["host"],
  needsAnswerOnly: true,

  async create(host, { host: name, reached }) {
    await host.retry();
    const found = await answer(host);
    if (found !== reachedText) throw new HostError("E_HOST_UNREACHABLE", deferralText(name, found));
    const inputs = { host: name, reached };
    return { id: inputs.host, outputs: { ...inputs, ...changedNow() } };
  },

  async read(host, id, { inputs: declared, outputs }) {
    const inputs = { host: declared?.host ?? id, reached: await answer(host) };
    return { inputs, outputs: { ...outputs, ...inputs } };
  },

  // No failure: an engine that goes on after one forgets what depends on the failed resource, though it is all there.
  // That the host still does not answer is what the next read says, and the run that has seen the difference.
  async update(host, _id, { outputs }, inputs) {
    await host.retry();
    const changed = (await answer(host)) === reachedText ? changedNow() : { changedAt: outputs.changedAt };
    return { ...inputs, ...changed };
  },

  preview: (inputs) => ({ ...inputs, changedAt: unknown }),
  remove: async () => undefined,
};

async function answer(host: SshHost): Promise<string> {
  try {
    await host.execute("true", { action: "connect" });
    return reachedText;
  } catch (error) {
    if (!isUnreached(error)) throw error;
    return error.message;
  }
}
