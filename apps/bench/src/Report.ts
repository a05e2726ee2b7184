/**
 * The results as a table, and each series as a line of text and as a chart.
 */
import { Lines } from "@rai/plots"
import type { Answered } from "./Row.ts"

const digits = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** A table in Markdown; × is the factor by which this project is better. */
export const table = (rows: ReadonlyArray<Answered>): string =>
  [
    "| what | who | median | lowest – highest | × |",
    "| --- | --- | ---: | ---: | ---: |",
    ...rows.flatMap(({ answers, question, unit }) =>
      answers.map(({ highest, lowest, median, name, ratio }, i) =>
        [
          "",
          i === 0 ? question : "",
          name,
          `${digits(median)} ${unit}`,
          `${digits(lowest)} – ${digits(highest)}`,
          i === 0 ? "" : ratio.toFixed(2),
          ""
        ]
          .join(" | ")
          .trim()
      )
    )
  ].join("\n")

interface Along {
  readonly axis: string
  readonly answers: ReadonlyArray<Omit<Answered["answers"][number], "ratio">>
}

/** One line with the medians along an axis and their spread. */
export const along = ({ answers, axis }: Along): string => {
  const points = answers.map(
    ({ highest, lowest, median, name }) =>
      `${name}: ${median.toPrecision(2)} (${lowest.toPrecision(2)} – ${highest.toPrecision(2)})`
  )
  return `Seconds a step by ${axis}: ${points.join(", ")}.`
}

/** The medians along an axis as a chart. */
export const chart = ({ answers, axis }: Along, machine: string) =>
  Lines.svg({
    title: `Seconds a step against ${axis}`,
    subtitle: `every map cut, ${machine}`,
    x: axis,
    y: "seconds a step",
    logarithmicX: true,
    dots: true,
    series: [{ name: "rai (onnx)", points: answers.map(({ median, name }) => [Number(name), median]) }]
  })
