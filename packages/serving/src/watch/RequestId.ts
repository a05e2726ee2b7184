/**
 * The id that identifies a request in logs and traces, `x-request-id`.
 */
import { randomUUID } from "node:crypto"

// Anything else would appear in the log just as the client wrote it.
const plain = /^[\w.:/+=-]{1,128}$/

/** The client's own id, where it gave a plain one, else a new one. */
export const of = (given: unknown): string => (typeof given === "string" && plain.test(given) ? given : randomUUID())
