/**
 * The pictures of a run.
 */
import type { Dataset, History, Metrics, Trained } from "@rai/core"
import { Confusion, Course, Gradients, Landscape, Loss, Picture, Plane, Residuals } from "@rai/plots"
import { Cause, Effect, Path } from "effect"
import * as Failure from "./Failure.ts"
import * as Report from "./Report.ts"

/** A picture by its name. */
export interface Figure {
  readonly name: "landscape" | "loss" | "residuals" | "gradients" | "confusion"
  readonly svg: string
}

/** A picture that fails costs a warning, and not the run. */
const orWarning = <A, E, R>(drawing: Effect.Effect<A, E, R>, name: string, instead: A): Effect.Effect<A, never, R> =>
  Effect.catchCause(drawing, (cause) => {
    if (Cause.hasInterruptsOnly(cause)) return Effect.interrupt
    const why = Failure.line(cause, Cause.squash(cause))
    return Effect.as(Report.progress(`warning: ${name} is missing: ${why}`), instead)
  })

/** Draws loss, residuals, gradients and, for circuits with two inputs and two classes, the decision landscape. */
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
      figures.push({ name: "loss", svg: yield* Loss.svg(Course.loss(rows)) })
      figures.push({ name: "gradients", svg: yield* Gradients.svg(Course.gradients(rows)) })
    }
    const residuals = Course.residuals(rows)
    if (residuals.steps.length > 1) figures.push({ name: "residuals", svg: yield* Residuals.svg(residuals) })
  })
  // An engine with its own threads computes the landscape while the other figures are drawn.
  yield* Effect.all(
    [orWarning(landscape, "the landscape", undefined), orWarning(course, "a picture of the run's course", undefined)],
    { concurrency: "unbounded", discard: true }
  )
  return figures as ReadonlyArray<Figure>
})

/** Draws the confusion matrix on test data; nothing for regression. */
export const confusion = Effect.fn("Figures.confusion")(function* (
  metrics: Metrics.Metrics | null,
  classNames: ReadonlyArray<string> | undefined
) {
  if (metrics === null || metrics.task === "regression") return []
  const figures = Effect.map(
    Confusion.svg({ ...metrics, classNames }),
    (svg): ReadonlyArray<Figure> => [{ name: "confusion", svg }]
  )
  return yield* orWarning(figures, "the confusion matrix", [])
})

/** Writes figures into a folder, each as SVG and PNG. */
export const write = Effect.fn("Figures.write")(function* (folder: string, figures: ReadonlyArray<Figure>) {
  const path = yield* Path.Path
  const files = figures.flatMap(({ name, svg }) => ["svg", "png"].map((ending) => ({ name: `${name}.${ending}`, svg })))
  yield* Effect.forEach(
    files,
    ({ name, svg }) => orWarning(Picture.write(path.join(folder, name), svg), name, undefined),
    { concurrency: "unbounded", discard: true }
  )
})

/** Whether a landscape can be drawn: two inputs, one logit. */
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
