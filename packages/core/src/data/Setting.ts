/**
 * Settings of the generated data sets, each with a range and a default.
 */
import { Effect } from "effect"
import { maximumSeed } from "../random/Pseudorandom.ts"
import { DataInvalid, quote } from "./DataInvalid.ts"

/** A numeric setting of a generated data set. */
export interface Setting {
  readonly fits: (value: number) => boolean
  /** The range in words. */
  readonly expected: string
  readonly byDefault: number
}

/** Settings by name. */
export type Settings = Readonly<Record<string, Setting>>

/** Values that a caller passes: some of the settings, or none. */
export type Options<S extends Settings> = { readonly [Name in keyof S]?: number | undefined }

const whole = (minimum: number, maximum: number, byDefault: number): Setting => ({
  fits: (value) => Number.isSafeInteger(value) && value >= minimum && value <= maximum,
  expected: `a whole number from ${minimum} to ${maximum}`,
  byDefault
})

const real = (minimum: number, maximum: number, byDefault: number): Setting => ({
  fits: (value) => Number.isFinite(value) && value >= minimum && value <= maximum,
  expected: `a number from ${minimum} to ${maximum}`,
  byDefault
})

/** Number of examples, 100 by default. */
export const examples = whole(2, 10_000_000, 100)

/** The seed, 42 by default: data do not change with a run's own seed. */
export const seed = whole(0, maximumSeed, 42)

/** Standard deviation of the normal noise added to each coordinate. */
export const noise = (byDefault: number): Setting => real(0, 100, byDefault)

export { real, whole }

/** Fills in defaults; fails where a name is unknown or a number is out of its range. */
export const resolve = Effect.fnUntraced(function* <S extends Settings>(
  source: string,
  settings: S,
  given: Options<S>
) {
  const resolved: Record<string, number> = {}
  for (const [name, { byDefault }] of Object.entries(settings)) resolved[name] = byDefault
  for (const [name, value] of Object.entries<number | undefined>(given)) {
    const setting = Object.hasOwn(settings, name) ? settings[name] : undefined
    if (setting === undefined) {
      const expected = `one of ${Object.keys(settings).join(", ")}`
      return yield* new DataInvalid({
        source,
        setting: name,
        expected,
        came: `${quote(name)} came`,
        advice: "correct the name"
      })
    }
    if (value === undefined) continue
    if (!setting.fits(value)) {
      const { expected } = setting
      return yield* new DataInvalid({
        source,
        setting: name,
        expected,
        came: `${value} came`,
        advice: "change the number"
      })
    }
    resolved[name] = value
  }
  return resolved as { readonly [Name in keyof S]: number }
})
