/**
 * The pictures of a run.
 */
import { type Dataset, History, type Metrics, type Trained } from "@rai/core"
import { Confusion, Gradients, Landscape, Loss, Picture, Plane, Residuals } from "@rai/plots"
import { Effect, Path } from "effect"

/** A picture by its name. */
export interface Figure {
  readonly name: "landscape" | "loss" | "residuals" | "gradients" | "confusion"
  readonly svg: string
}

/** Loss, residuals, gradients and, of circuits with two inputs and two classes, the decision landscape. */
export const draw = Effect.fn("Figures.draw")(function* (
  trained: Trained.Trained,
  data: Dataset.Dataset,
  rows: ReadonlyArray<History.Row>
) {
  const figures: Array<Figure> = []
  const landscape = Effect.gen(function* () {
    if (!canBeDrawn(trained)) return
    const plane = { ...Plane.of(trained, data), grid: 100 }
    const svg = yield* Landscape.svg({ ...plane, ...(yield* panel(trained, data, plane)) })
    figures.push({ name: "landscape", svg })
  })
  const course = Effect.gen(function* () {
    if (rows.length > 1) {
      figures.push({ name: "loss", svg: yield* loss(rows) })
      figures.push({ name: "gradients", svg: yield* gradients(rows) })
    }
    const relaxed = rows.filter(({ residuals }) => residuals.length > 0)
    if (relaxed.length > 1) figures.push({ name: "residuals", svg: yield* residuals(relaxed) })
  })
  // An engine with threads of its own computes the landscape while the others are drawn.
  yield* Effect.all([landscape, course], { concurrency: "unbounded", discard: true })
  return figures as ReadonlyArray<Figure>
})

/** Which class was taken for which on test data; none of values. */
export const confusion = Effect.fn("Figures.confusion")(function* (
  metrics: Metrics.Metrics | null,
  classNames: ReadonlyArray<string> | undefined
) {
  if (metrics === null || metrics.task === "regression") return []
  const svg = yield* Confusion.svg({ ...metrics, classNames })
  const figure: Figure = { name: "confusion", svg }
  return [figure]
})

/** Writes figures into a folder, each as SVG and PNG. */
export const write = Effect.fn("Figures.write")(function* (folder: string, figures: ReadonlyArray<Figure>) {
  const path = yield* Path.Path
  const files = figures.flatMap(({ name, svg }) => ["svg", "png"].map((ending) => ({ name: `${name}.${ending}`, svg })))
  yield* Effect.forEach(files, ({ name, svg }) => Picture.write(path.join(folder, name), svg), {
    concurrency: "unbounded",
    discard: true
  })
})

/** Whether there is a plane to draw: two inputs, one logit. */
export const canBeDrawn = (trained: Trained.Trained): boolean =>
  trained.task === "binary" && trained.inputNames.length === 2

/** A landscape of the free run's probability. */
export const panel = Effect.fn("Figures.panel")(function* (
  trained: Trained.Trained,
  data: Dataset.Dataset,
  plane: Plane.Plane,
  headings: Pick<Landscape.Panel, "title" | "subtitle"> = {}
) {
  return { ...headings, probability: yield* Plane.probabilities(trained, plane), points: Plane.points(data) }
})

const orNaN = (value: number | null | undefined): number => value ?? Number.NaN

const phases = (rows: ReadonlyArray<History.Row>) => {
  const starts = rows.filter(({ phase }, i) => phase !== rows[i - 1]?.phase)
  return starts.map(({ phase, total }) => ({ name: phase, start: total }))
}

// Where one phase ends the next begins, with one measurement more at the same step.
const oncePerStep = (rows: ReadonlyArray<History.Row>) => rows.filter(({ total }, i) => total !== rows[i - 1]?.total)

const loss = (rows: ReadonlyArray<History.Row>) =>
  Loss.svg({
    measurements: oncePerStep(rows).map((row) => ({ ...History.numbers(row), step: row.total })),
    phases: phases(rows)
  })

const residuals = (rows: ReadonlyArray<History.Row>) => {
  // A plan may relax twice with other cuts; the picture shows the last way of cutting.
  const cuts = rows.at(-1)!.residuals.length
  const shown = oncePerStep(rows.filter((row) => row.residuals.length === cuts))
  return Residuals.svg({
    steps: shown.map(({ total }) => total),
    cuts,
    residual: shown.flatMap((row) => row.residuals.map(orNaN))
  })
}

const gradients = (rows: ReadonlyArray<History.Row>) => {
  // Of two at one step, the phase that goes on from there.
  const shown = rows.filter(({ total }, i) => total !== rows[i + 1]?.total)
  return Gradients.svg({
    steps: shown.map(({ total }) => total),
    stages: shown[0]!.gradientNorms.length,
    norms: shown.flatMap((row) => row.gradientNorms.map(orNaN)),
    phases: phases(rows)
  })
}
