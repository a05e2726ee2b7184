/**
 * Errors of the operating system, in words.
 */
import type { PlatformError } from "effect"

const byCode: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder or file",
  ENOTDIR: "a part of the path is a file",
  EISDIR: "a folder stands there",
  EEXIST: "it is there already",
  EACCES: "permission is denied",
  EPERM: "permission is denied",
  EROFS: "the disk is read-only",
  EFBIG: "the file would be larger than may be",
  ENOSPC: "the disk is full",
  EDQUOT: "the quota is used up",
  ENAMETOOLONG: "the name is too long",
  ELOOP: "its links go in a circle",
  EMFILE: "too many files are open"
}

/** The reason that a code of the system stands for: «permission is denied». */
export const ofCode = (code: string): string => byCode[code] ?? `the system answered ${code}`

/** The reason without a path. */
export const why = ({ reason }: PlatformError.PlatformError): string =>
  ofCode(reason.cause instanceof Error && "code" in reason.cause ? String(reason.cause.code) : reason._tag)

const reading = /^(read|stat|open|access|stream|exists)/

/** One line for a system error that has no message of its own. */
export const line = (error: PlatformError.PlatformError): string => {
  const { reason } = error
  const place = reason._tag === "BadArgument" ? undefined : reason.pathOrDescriptor
  const file = place === undefined ? "" : `${String(place).replace(/\.part$/, "")}: `
  // Writing also opens a file: a .part beside its final place.
  const verb = reading.test(reason.method) && !String(place).endsWith(".part") ? "read" : "write"
  return `${file}expected to ${verb} here, but ${why(error)}; check the path, its permissions and the room on the disk`
}
