/**
 * Lines and bands through samples: broken where a value is not finite, thinned to what a page can show.
 */
import * as Svg from "./Svg.ts"

/** A value at a step. */
export interface Sample {
  readonly step: number
  readonly value: number
}

/** Unbroken runs of neighbours that are all `sound`. */
export const runs = <A>(items: ReadonlyArray<A>, sound: (item: A) => boolean): ReadonlyArray<ReadonlyArray<A>> => {
  const found: Array<Array<A>> = [[]]
  for (const item of items) {
    if (sound(item)) found.at(-1)?.push(item)
    else found.push([])
  }
  return found.filter((run) => run.length > 0)
}

/** Path data through points in pixels; a single point becomes a dot with a round cap. */
export const path = (points: ReadonlyArray<readonly [number, number]>): string => {
  const written = points.map(([x, y]) => `${Svg.round(x)},${Svg.round(y)}`)
  return `M${(written.length === 1 ? [...written, ...written] : written).join("L")}`
}

/** The number of samples that the width of a page can show. */
export const limit = 1200

/** Divides items into `count` stretches of about equal length. */
export const stretches = <A>(items: ReadonlyArray<A>, count: number): ReadonlyArray<ReadonlyArray<A>> => {
  const size = items.length / count
  return Array.from({ length: count }, (_, i) => items.slice(Math.round(i * size), Math.round((i + 1) * size)))
}

const least = (samples: ReadonlyArray<Sample>, sign: 1 | -1): Sample | undefined =>
  samples.reduce<Sample | undefined>((a, b) => (a === undefined || sign * b.value < sign * a.value ? b : a), undefined)

/** Thins samples beyond the limit to the lowest, the highest and the first non-finite one of each stretch, so that no peak or break is lost. */
export const thin = (samples: ReadonlyArray<Sample>): ReadonlyArray<Sample> =>
  samples.length <= limit
    ? samples
    : stretches(samples, limit / 2).flatMap((stretch) => {
        const finite = stretch.filter(({ value }) => Number.isFinite(value))
        const broken = stretch.find(({ value }) => !Number.isFinite(value))
        return [...new Set([least(finite, 1), least(finite, -1), broken])]
          .filter((sample) => sample !== undefined)
          .sort((a, b) => a.step - b.step)
      })
