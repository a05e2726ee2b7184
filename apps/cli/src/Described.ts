/**
 * Flags whose help says what holds where they are not given.
 */
import { Flag } from "effect/cli"

/** The description with the default behind it. */
export const text = (description: string, byDefault: string | number): string =>
  `${description} (default: ${byDefault})`

/** The flag with a default, which its description shows. */
export const withDefault =
  <const B extends string | number>(description: string, byDefault: B) =>
  <A>(flag: Flag.Flag<A>): Flag.Flag<A | B> =>
    flag.pipe(Flag.withDescription(text(description, byDefault)), Flag.withDefault(byDefault))
