import * as v from "valibot";
import { retentionRuleEntries } from "../contract/retention-rules.ts";

/** Which tags of the private registry stay. The programs read the same rules from a file on the host. */
const retention = v.strictObject(retentionRuleEntries);

export const retentionEntries = { retention: v.optional(retention, {}) };
