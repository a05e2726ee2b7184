/**
 * Numbers as the page shows them.
 */

const three = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 })

/** Three significant digits; a dash where there is no number. */
export const number = (value: number | undefined): string =>
  value === undefined ? "–" : three.format(value).replace("-", "−")

/** `1 model`, `2 models`. */
export const count = (n: number, one: string): string => `${n} ${n === 1 ? one : `${one}s`}`

/** A shape as the protocol has it; -1 is any size. */
export const shape = (sizes: ReadonlyArray<number>): string => `[${sizes.join(", ")}]`
