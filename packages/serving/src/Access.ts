/**
 * Who may ask: a bearer token for the routes that change the server, and, if one is set, for all.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { Redacted } from "effect"
import { AdminClosed, Unauthenticated } from "./RequestError.ts"

/** The tokens; without one for the admin routes these are closed, `"open"` leaves them to whoever reaches the port. */
export interface Access {
  readonly all?: Redacted.Redacted<string> | undefined
  readonly admin?: Redacted.Redacted<string> | "open" | undefined
}

const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

// Of the scheme's name case says nothing (RFC 9110, 11.1).
const scheme = /^bearer +/i

// Digests have one length, so that the comparison's time says nothing of the token's.
const matches = (authorization: string | undefined, token: Redacted.Redacted<string>): boolean =>
  timingSafeEqual(digest((authorization ?? "").replace(scheme, "Bearer ")), digest(`Bearer ${Redacted.value(token)}`))

/** Why a request with this authorization header may not pass, or undefined where it may. An admin's token opens every route. */
export const refusal = (
  { all, admin }: Access,
  route: "admin" | "other",
  authorization: string | undefined
): Unauthenticated | AdminClosed | undefined => {
  if (typeof admin === "object" && matches(authorization, admin)) return undefined
  if (route === "admin" && admin === undefined) return new AdminClosed()
  if (route === "admin" && admin !== "open") return new Unauthenticated()
  return all === undefined || matches(authorization, all) ? undefined : new Unauthenticated()
}
