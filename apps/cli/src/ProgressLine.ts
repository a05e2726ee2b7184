/**
 * Progress of a training run: a bar on a terminal that can show one, elsewhere a plain line now and then.
 */
import type { Progress, TrainingEvent } from "@rai/core"
import { SingleBar } from "cli-progress"
import { Effect } from "effect"
import * as Report from "./Report.ts"
import * as Terminal from "./Terminal.ts"

/** Follows the events of one run. */
export interface ProgressLine {
  readonly follow: (event: TrainingEvent.TrainingEvent) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

const secondsBetweenLines = 2

const state = (event: TrainingEvent.Step): string => {
  const { measurement } = event
  if (measurement === undefined) return ""
  const relaxed =
    measurement.relaxedLoss === undefined ? "" : `relaxed loss ${Report.number(measurement.relaxedLoss)}, `
  return `${relaxed}free-run loss ${Report.number(measurement.freeRunLoss)}${Report.accuracy(measurement.freeRunAccuracy)}${Report.left(measurement.freeRunShare)}`
}

/** Losses and accuracy in short form, for a bar that has to share the terminal's width. */
const brief = ({ measurement }: TrainingEvent.Step): string => {
  if (measurement === undefined) return ""
  const { freeRunAccuracy, freeRunLoss, freeRunShare, relaxedLoss, relaxedShare } = measurement
  // Of several targets, what decides has room alone.
  if (freeRunShare !== undefined) {
    const relaxed = relaxedShare === undefined ? "" : `relaxed ${Report.number(relaxedShare)}, `
    return `${relaxed}free run ${Report.number(freeRunShare)} of the variance`
  }
  const relaxed = relaxedLoss === undefined ? "" : `relaxed ${Report.number(relaxedLoss)}, `
  const accuracy = freeRunAccuracy === undefined ? "" : `, ${Report.percent(freeRunAccuracy)}`
  return `${relaxed}free run ${Report.number(freeRunLoss)}${accuracy}`
}

const wentBack = ({ lost, progress }: TrainingEvent.Rewound): string =>
  (lost === undefined
    ? "no better free run for long: back to the best"
    : `numbers were lost at step ${lost.step}, first in ${lost.path}: back to the last good state`) +
  `, on with rate ${Report.number(progress.rate)}`

const plain = (name: string): ProgressLine => {
  let last = Number.NEGATIVE_INFINITY
  return {
    follow: (event) =>
      Effect.suspend(() => {
        if (event._tag === "Rewound") return Report.progress(`${name}${wentBack(event)}`)
        if (event._tag === "Finished" || event.measurement === undefined) return Effect.void
        const { progress, phase } = event
        const due =
          progress.step === 0 || progress.step === event.steps || progress.seconds - last >= secondsBetweenLines
        if (!due) return Effect.void
        last = progress.seconds
        return Report.progress(`${name}${phase.kind} ${progress.step}/${event.steps}: ${state(event)}`)
      }),
    end: Effect.void
  }
}

/** Width in characters of everything on the line except the bar and the run's name. */
const besideBar = 74

const bar = (name: string): ProgressLine => {
  const line = new SingleBar({
    format: `${name}{phase} [{bar}] {value}/{total}{left}  {state}`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: Math.min(24, Math.max(8, (process.stderr.columns || 80) - name.length - besideBar))
  })
  let first: Progress.Progress | undefined
  let last = ""
  let isOver = false
  const start = (event: TrainingEvent.Step) => {
    if (first !== undefined) line.stop()
    first = event.progress
    line.start(event.steps, event.progress.step, { phase: event.phase.kind, state: "", left: "" })
  }
  /** Time left for the phase, extrapolated from the steps so far. */
  const left = ({ progress, steps }: TrainingEvent.Step): string => {
    const [done, seconds] = [progress.step - first!.step, progress.seconds - first!.seconds]
    return done === 0 ? "" : `, ${Report.duration((seconds / done) * (steps - progress.step))} left`
  }
  return {
    follow: (event) =>
      Effect.sync(() => {
        // A run that is interrupted still ends what is under way.
        if (isOver) return
        if (event._tag === "Rewound") {
          line.stop()
          first = undefined
          process.stderr.write(`${name}${wentBack(event)}\n`)
        }
        if (event._tag !== "Step") return
        if (first?.phase !== event.progress.phase) start(event)
        last = brief(event) || last
        line.update(event.progress.step, { phase: event.phase.kind, state: last, left: left(event) })
      }),
    end: Effect.sync(() => {
      isOver = true
      line.stop()
    })
  }
}

/** Makes the bar or the plain lines for a run called `name`. */
export const make = (name = ""): ProgressLine => {
  const title = name === "" ? "" : `${name}: `
  return Terminal.isCapable ? bar(title) : plain(title)
}
