/**
 * Confusion matrices: how often each class was predicted as each, a row per true class and a column per predicted class.
 */
import { Effect } from "effect"
import { DataMismatch } from "./DataMismatch.ts"
import * as Axis from "./internal/Axis.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"

/** A confusion matrix. */
export interface Settings {
  readonly title?: string
  readonly subtitle?: string
  /** Counts, a row per true class and a column per predicted class, as `Metrics.of` returns them. */
  readonly confusion: ReadonlyArray<ReadonlyArray<number>>
  /** One name per class; by default the class numbers. */
  readonly classNames?: ReadonlyArray<string> | undefined
}

const colour = "#0072b2"

/** Maximum length of a class name, in characters. */
const longest = 18

/**
 * The matrix as SVG, each cell as dark as its share of its row. Fails with `DataMismatch` unless it has a row and a column for each class.
 *
 * ```ts
 * import { Confusion } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const confusion = [[48, 2], [5, 45]]
 * const svg = Effect.runSync(Confusion.svg({ confusion, classNames: ["ant", "bee"] }))
 * console.log(svg.includes(">48</text>")) // => true
 * ```
 */
export const svg = Effect.fn("Confusion.svg")(function* (settings: Settings) {
  const { confusion } = settings
  const n = confusion.length
  yield* check(settings)
  const names = confusion.map((_, c) => shortened(settings.classNames?.[c] ?? String(c)))
  const cell = Math.min(72, Math.max(34, 340 / n))
  const room = 6.6 * Math.max(...names.map((name) => name.length))
  const top = Theme.headingsHeight([settings])
  const place = { x: 44 + room, y: top, width: n * cell, height: n * cell }
  // Names wider than their cells are rotated.
  const upright = room > cell - 6
  const below = place.y + place.height
  const under = names.map((name, c) => {
    const x = place.x + (c + 0.5) * cell
    return upright
      ? Svg.text(name, {
          x: x + 4,
          y: below + 8,
          transform: `rotate(-90 ${Svg.round(x + 4)} ${Svg.round(below + 8)})`,
          "text-anchor": "end"
        })
      : Svg.text(name, { x, y: below + 17, "text-anchor": "middle" })
  })
  const beside = names.map((name, c) =>
    Svg.text(name, { x: place.x - 7, y: place.y + (c + 0.5) * cell + 4, "text-anchor": "end" })
  )
  const deep = upright ? room + 14 : 22
  const middle = place.y + place.height / 2
  const axis = { "text-anchor": "middle", "font-size": Theme.fontSize.axis }
  return Theme.figure(
    { width: Math.max(place.x + place.width + 18, 220), height: below + deep + 24 },
    settings.title ?? "Confusion of classes",
    [
      Theme.headings(settings, { x: place.x, width: Math.max(place.width, 160) }),
      ...confusion.flatMap((row, i) =>
        row.map((count, j) => cellOf(count, row, place.x + j * cell, place.y + i * cell, cell))
      ),
      Axis.frame(place),
      ...beside,
      ...under,
      Svg.text("class found", { x: place.x + place.width / 2, y: below + deep + 12, ...axis }),
      Svg.text("true class", { x: 22, y: middle, transform: `rotate(-90 22 ${Svg.round(middle)})`, ...axis })
    ].join("")
  )
})

const shortened = (name: string): string => (name.length > longest ? `${name.slice(0, longest - 1)}…` : name)

const cellOf = (count: number, row: ReadonlyArray<number>, x: number, y: number, side: number): string => {
  const share =
    count /
    Math.max(
      1,
      row.reduce((sum, each) => sum + each, 0)
    )
  const size = Math.min(Theme.fontSize.axis, (side - 6) / (0.6 * String(count).length))
  return [
    Svg.element("rect", { class: "cell", x, y, width: side, height: side, fill: colour, "fill-opacity": share }),
    count === 0
      ? ""
      : Svg.text(String(count), {
          x: x + side / 2,
          y: y + side / 2 + 4,
          "text-anchor": "middle",
          "font-size": size,
          fill: share > 0.55 ? "#ffffff" : Theme.ink.text
        })
  ].join("")
}

const check = ({ classNames, confusion }: Settings) => {
  const mismatch = (expected: string, came: string, remedy: string) =>
    Effect.fail(new DataMismatch({ figure: "Confusion", expected, came, remedy }))
  const n = confusion.length
  if (n === 0) return mismatch("a row for each class", "none", "give what Metrics.of has of classes")
  const wrong = confusion.findIndex((row) => row.length !== n)
  if (wrong >= 0)
    return mismatch(`${n} counts in each row`, `${confusion[wrong]!.length} in row ${wrong}`, "give one for each class")
  return classNames === undefined || classNames.length === n
    ? Effect.void
    : mismatch(`${n} class names`, String(classNames.length), "name each class once, in order")
}
