/**
 * The id by which a request is found again in logs and traces, `x-request-id`.
 */
import { randomUUID } from "node:crypto"

// What else would stand in the log as the client wrote it.
const plain = /^[\w.:/+=-]{1,128}$/

/** The client's own, where it gave one, else a new one. */
export const of = (given: unknown): string => (typeof given === "string" && plain.test(given) ? given : randomUUID())
