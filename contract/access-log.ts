import * as v from "valibot";

/**
 * The log in which nginx writes each request for the private registry: retention reads from it what was pulled when,
 * the collector which digests clients were told to exist.
 *
 *   access.log                       nginx appends to it
 *   access.log-20261122T030000Z      a former one; or access.log-20261122T030000Z.gz
 *
 * A file that the rotation made begins with a head, which names the file before it. By these, a reader knows since when
 * the log holds every request. A file that nginx made itself has none, and says nothing about the time before its first
 * line.
 */

/** On the host, and in nginx's container. It holds nothing else. */
export const accessLogDirectory = "/var/log/regwarden/registry";

export const accessLogFile = "access.log";
export const accessLogPath = `${accessLogDirectory}/${accessLogFile}`;

/** Days for which former files are kept. Retention cannot ask for more with `pulledWithin`. */
export const accessLogDays = 32;

/** The rotation writes a head every day, so a log that is silent for longer is not written any more. Milliseconds. */
export const accessLogSilenceLimitMs = 26 * 3600 * 1000;

/** Name of nginx's log format, and that format: one JSON object a line. */
export const accessLogFormatName = "regwarden_access";

/**
 * To be written with `escape=json`. The status is a text, because nginx writes 000 where none was sent, which is no JSON
 * number.
 *
 * Source: nginx, ngx_http_log_module; $msec is the time of the line, in seconds with milliseconds.
 */
export const accessLogFormat =
  '{"time":$msec,"method":"$request_method","uri":"$request_uri","status":"$status","agent":"$http_user_agent"}';

/** One line: a request that nginx answered. */
export interface AccessLogLine {
  /** End of the request, seconds since 1970. */
  readonly time: number;
  readonly method: string;
  /** Path and query, as the client sent them. */
  readonly uri: string;
  /** Three digits. */
  readonly status: string;
  readonly agent: string;
}

/** First line of a file that the rotation made. */
export const accessLogHeadSchema = v.object({
  /** When the rotation made the file, seconds since 1970. */
  begins: v.pipe(v.number(), v.finite(), v.minValue(0)),
  /** Name of the file that holds what came before, without `.gz`; null for the first. */
  follows: v.nullable(v.pipe(v.string(), v.regex(/^[\w.-]+$/))),
});

/** `format` of date(1) for the end of a former file's name, in UTC. */
export const accessLogStampFormat = "%Y%m%dT%H%M%SZ";

/** The head as printf(1) writes it, from the seconds since 1970 and the name of the file before. */
export const accessLogHeadFormat = '{"begins":%s,"follows":"%s"}\\n';
