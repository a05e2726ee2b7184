/**
 * Access control: a bearer token for the routes that change the server and, if set, one for every route.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import { Redacted } from "effect"
import { AdminClosed, Unauthenticated } from "./RequestError.ts"

/** Bearer tokens: `all` for every route; `admin` for the admin routes, which are closed without it, and treated like any other with `"open"`. */
export interface Access {
  readonly all?: Redacted.Redacted<string> | undefined
  readonly admin?: Redacted.Redacted<string> | "open" | undefined
}

const digest = (text: string): Uint8Array => createHash("sha256").update(text).digest()

// The scheme's name is case-insensitive (RFC 9110, 11.1).
const scheme = /^bearer +/i

// Digests have equal length, so the comparison's time reveals nothing about the token's length.
const matches = (authorization: string | undefined, token: Redacted.Redacted<string>): boolean =>
  timingSafeEqual(digest((authorization ?? "").replace(scheme, "Bearer ")), digest(`Bearer ${Redacted.value(token)}`))

/** Returns why a request with this authorization header is refused, or undefined where it may pass. The admin token opens every route. */
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
