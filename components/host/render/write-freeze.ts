import { readFileSync } from "node:fs";
import { join } from "node:path";
import { freezeMetrics } from "../../../contract/metrics.ts";
import {
  freezeFlag,
  freezeHandler,
  freezeLimits,
  freezePaths,
  writeRecords,
} from "../../../contract/write-freeze.ts";
import { FREEZE_HANDLER } from "./nginx-paths.ts";

/** What to do where the module is missing: for an error that is read at a deployment. */
export const JS_MODULE_HINT =
  "The official images have it: nginx:1.28.0 and nginx:1.28.0-alpine for example, not those named slim. " +
  "In images that are made from Debian packages it is libnginx-mod-http-js, in those of Alpine nginx-mod-http-js.";

/** Options of a program that holds writes. `nginx`: what it reaches nginx's metrics port by, HOST:PORT. */
export function freezeFlags(nginx: string): string {
  return `--freeze ${freezeFlag} --freeze-status http://${nginx}${freezePaths.status}`;
}

/** Text of the handler. */
export function freezeHandlerText(): string {
  return readFileSync(join(import.meta.dirname, "../nginx", freezeHandler), "utf8");
}

const HOLD = "/hold-write";

// Reads ask the handler nothing: only what may write, and names an account, goes to the location that does.
export const freezeDefinitions = `
  js_import freeze from ${FREEZE_HANDLER};
  js_set $ended_write freeze.ended;
  js_set $freeze_active freeze.active;
  js_set $freeze_held freeze.heldNow;
  js_set $freeze_held_total freeze.heldTotal;
  js_set $freeze_refused_total freeze.refusedTotal;

  map $http_authorization $names_account {
    default 1;
    "" 0;
  }
  # 1 for what is held while the flag of a freeze is there
  map "$request_method $names_account" $is_write {
    default 0;
    "~^(?:DELETE|PATCH|POST|PUT) 1$" 1;
  }
`;

/** Where the handler finds what it reads and writes; for a server. */
const freezeVariables = `    set $freeze_flag ${freezeFlag};
    set $freeze_records ${writeRecords};
    set $freeze_probe ${freezePaths.probe};
    set $freeze_seconds ${freezeLimits.hardStopSeconds};
    set $freeze_most ${freezeLimits.heldAtMost};
`;

const holdLocation = `
    location = ${HOLD} {
      internal;
      js_content freeze.hold;
    }
`;

/** In the location of all requests: sends writes to {@link writeLocations}. */
export const passWrites = `      error_page 418 = @write;
      if ($is_write) {
        return 418;
      }
`;

/** The log at which the handler learns that a write has ended; nothing is written. */
const WRITE_LOG = "access_log /dev/null registry if=$ended_write;";

/**
 * Of the server whose writes can be held.
 *
 * @param pass what hands a request to the registry
 * @param logs the server's logs: those of a location replace them
 */
export function writeLocations(pass: string, logs: readonly string[]): string {
  // In the location alone, which costs other requests nothing.
  const logged = [...logs, WRITE_LOG].map((line) => `      ${line}\n`).join("");
  const refusal = (code: string) =>
    `'{"errors":[{"code":"${code}","message":"writes are held for maintenance, try again"}]}\\n'`;
  const refuse = (status: number, code: string) => `
    location @answer-${status} {
      default_type application/json;
      add_header Retry-After ${freezeLimits.retryAfterSeconds} always;
      return ${status} ${refusal(code)};
    }
`;
  return `
${freezeVariables}    recursive_error_pages on;

    location @write {
      auth_request ${HOLD};
      error_page 401 = @answer-429;
      error_page 403 = @answer-503;
      # The handler is broken: writes go on, and no freeze begins, as none would be held.
      error_page 500 = @write-unheld;
${logged}${pass}    }

    location @write-unheld {
${logged}${pass}    }
${holdLocation}${refuse(429, "TOOMANYREQUESTS")}${refuse(503, "UNAVAILABLE")}`;
}

const VALUES: Readonly<Record<keyof typeof freezeMetrics, string>> = {
  regwarden_freeze_active: "$freeze_active",
  regwarden_freeze_held_requests: "$freeze_held",
  regwarden_freeze_held_requests_total: "$freeze_held_total",
  regwarden_freeze_refused_requests_total: "$freeze_refused_total",
};

/** Of the metrics server: the state of the freeze, and a request that is held as a write is. */
export function freezeStatusLocations(): string {
  const metrics = Object.entries(VALUES).map(([name, value]) => {
    const { help } = freezeMetrics[name as keyof typeof freezeMetrics];
    const type = name.endsWith("_total") ? "counter" : "gauge";
    return `# HELP ${name} ${help}\\n# TYPE ${name} ${type}\\n${name} ${value}\\n`;
  });
  return `${freezeVariables}${holdLocation}
    # Whether writes are held, and how many are on their way
    location = ${freezePaths.status} {
      access_log off;
      js_content freeze.status;
    }

    location = ${freezePaths.probe} {
      access_log off;
      auth_request ${HOLD};
      js_content freeze.probed;
    }

    location = ${freezePaths.metrics} {
      return 200 "${metrics.join("")}";
    }
`;
}
