/**
 * `rai evaluate`: how good a trained circuit or an exported model is on data, measured as scikit-learn does.
 */
import { type Dataset, Encoding, Frame, Metrics, Preprocessing, Program, Score, Source } from "@rai/core"
import { Predict } from "@rai/export"
import { Confusion, Picture } from "@rai/plots"
import { Effect, FileSystem, Option, Record } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { CommandFailed } from "./CommandFailed.ts"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as Network from "./Network.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as RunFolder from "./RunFolder.ts"
import * as Table from "./Table.ts"
import * as TrainingData from "./TrainingData.ts"
import { UsageWrong } from "./UsageWrong.ts"

/** The command. */
export const command = Command.make(
  "evaluate",
  {
    of: PathText.argument("DIR|model.onnx").pipe(Argument.withDescription("a run's folder or an exported model")),
    data: PathText.flag("data").pipe(
      Flag.withDescription(
        Described.text("data as `rai train` takes them", "a run's test data, or else its training data")
      ),
      Flag.optional
    ),
    label: Flag.String("label").pipe(
      Flag.withDescription(Described.text("the label's column of a file", "the last one, or the run's")),
      Flag.optional
    ),
    labels: PathText.flag("labels").pipe(
      Flag.withDescription(
        Described.text("the file of the labels of an .npy or IDX file", "the one that is named alike")
      ),
      Flag.optional
    ),
    out: Flag.File("out").pipe(
      Flag.withDescription("a .png or .svg file for the picture of which class was taken for which"),
      Flag.optional
    ),
    json: Report.jsonFlag
  },
  Effect.fn("evaluate")(function* ({ data, json, label, labels, of, out }) {
    const given = Record.map({ data, label, labels }, Option.getOrUndefined)
    const { classNames, metrics, on } = yield* Network.isModel(of) ? ofModel(of, given) : ofRun(of, given)
    if (Option.isSome(out)) yield* draw(out.value, metrics, classNames, on)
    yield* Report.result(json, { of, data: on, classNames: classNames ?? null, ...metrics }, [
      `${metrics.examples} examples of ${on}`,
      ...lines(metrics, classNames)
    ])
  })
).pipe(
  Command.withExamples([
    { command: "rai evaluate runs/moons --data moons:n=1000,noise=0.1,seed=2024", description: "on points never seen" }
  ])
)

const lines = (metrics: Metrics.Metrics, classNames: ReadonlyArray<string> | undefined): ReadonlyArray<string> => {
  if (metrics.task === "regression") {
    const fits = metrics.ofTargets.map((fit, k) => [
      String(k + 1),
      Report.number(fit.r2),
      Report.number(fit.rootMeanSquaredError),
      Report.number(fit.meanAbsoluteError)
    ])
    const head = ["target", "R²", "root mean squared error", "mean absolute error"]
    return [Report.metrics(metrics), ...(fits.length > 1 ? ["", ...Table.lines([head, ...fits])] : [])]
  }
  const names = metrics.confusion.map((_, c) => classNames?.[c] ?? String(c))
  const rows = metrics.confusion.map((row, c) => [names[c]!, ...row.map(String), metrics.f1OfClasses[c]!.toFixed(4)])
  return [Report.metrics(metrics, classNames), "", ...Table.lines([["true class \\ found", ...names, "F1"], ...rows])]
}

const draw = Effect.fnUntraced(function* (
  file: string,
  metrics: Metrics.Metrics,
  classNames: ReadonlyArray<string> | undefined,
  on: string
) {
  if (metrics.task === "regression") {
    const advice = "leave --out away"
    return yield* new CommandFailed({ expected: "classes to draw", came: "values were learned", advice })
  }
  const title = `accuracy ${Report.percent(metrics.accuracy)}`
  yield* Picture.write(file, yield* Confusion.svg({ ...metrics, classNames, title, subtitle: on }))
})

interface Given {
  readonly data: string | undefined
  readonly label: string | undefined
  readonly labels: string | undefined
}

/** What a circuit or a model was trained on. */
interface Known {
  readonly task: Dataset.Task
  readonly inputNames: ReadonlyArray<string>
  readonly classNames?: ReadonlyArray<string> | undefined
  readonly preprocessing?: Preprocessing.Preprocessing | undefined
}

/** Data to evaluate on, with what a run of an earlier version, which kept no digests of its data, measured on them. */
interface Found {
  readonly on: string
  readonly read: Dataset.Dataset
  readonly before?: Metrics.Metrics | null | undefined
}

const ofRun = Effect.fnUntraced(function* (folder: string, { data, ...rest }: Given) {
  const trained = yield* RunFolder.trained(folder)
  const found = yield* data === undefined ? ownData(folder) : otherData(folder, trained, { data, ...rest })
  const { before, on, read }: Found = found
  const metrics = yield* Effect.provide(Score.metrics(trained, read), EngineChoice.usual)
  if (before) yield* sayIfOther(before, metrics)
  return { classNames: trained.classNames, metrics, on }
})

/** Says so where a run measured something else on its test data, beyond the rounding of engines. */
const sayIfOther = Effect.fnUntraced(function* (before: Metrics.Metrics, now: Metrics.Metrics) {
  const of = (metrics: Metrics.Metrics) => (metrics.task === "regression" ? metrics.r2 : metrics.accuracy)
  if (!(Math.abs(of(now) - of(before)) > 0.01 + 1 / now.examples)) return
  const what = now.task === "regression" ? "an R² of" : "an accuracy of"
  yield* Report.progress(
    `warning: the run measured ${what} ${Report.number(of(before))} on its test data, and this is ${Report.number(of(now))}: have the data changed since?`
  )
})

/** The data that a run was tested on, or else trained on; fails with `CommandFailed` where their files are not there. */
const ownData = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const settings = yield* RunFolder.settings(folder)
  for (const source of [settings.data, settings.test ?? ""]) {
    if (!Source.isFile(source) || (yield* fs.exists(source))) continue
    return yield* new CommandFailed({
      expected: `the run's own data in ${source}, as seen from the folder it was begun in`,
      came: "there is no such file here",
      advice: "go to that folder, or name data with --data"
    })
  }
  const own = yield* TrainingData.ofRun(settings)
  if (own.test !== undefined) {
    const before = settings.digests === undefined ? (yield* RunFolder.summary(folder))?.testMetrics : undefined
    return { on: "the test data", read: own.test, before }
  }
  const on = "parts" in own ? "the first part of the training data" : "the training data"
  return { on, read: own.train }
})

/** Other data, read by the rules that the run had for files. */
const otherData = Effect.fnUntraced(function* (folder: string, trained: Known, { data, label, labels }: Asked) {
  const settings = Source.isFile(data) ? yield* Effect.option(RunFolder.settings(folder)) : Option.none()
  const before = Option.getOrUndefined(settings)
  const missing = before?.missing === "drop" ? "drop" : undefined
  const { read } = yield* known(trained, { data, label: label ?? before?.label, labels, missing })
  return { on: data, read }
})

const ofModel = Effect.fnUntraced(function* (file: string, { data, label, labels }: Given) {
  if (data === undefined) {
    const advice = "add it, for instance --data moons-100"
    return yield* new UsageWrong({ expected: "--data for a model, which keeps none", came: "none came", advice })
  }
  const origin = yield* Predict.origin(file)
  if (origin === undefined) {
    const advice = "export one with rai export, or compare the values of rai predict yourself"
    const expected = "a model that says what it was trained on"
    return yield* new CommandFailed({ expected, came: `${file} does not`, advice })
  }
  const { frame, read } = yield* known(
    { ...origin, inputNames: origin.inputs, classNames: origin.classes },
    { data, label, labels }
  )
  const { columns, preprocessing } = origin
  const inputs = columns && preprocessing ? yield* Encoding.raw(preprocessing, frame) : read.inputs
  const { classNames, outputs } = yield* Predict.predict(file, inputs)
  const metrics = yield* Program.check(() => Metrics.of(read.task, read.targets, outputs.logit ?? outputs.value!))
  return { classNames, metrics, on: data }
})

/** Which data to read, and how; `missing` is `drop` where the run dropped examples with a missing value. */
interface Asked {
  readonly data: string
  readonly label: string | undefined
  readonly labels: string | undefined
  readonly missing?: "drop" | undefined
}

/** Reads data, checks that the columns and classes are those of the training data, and applies the same preprocessing. */
const known = Effect.fnUntraced(function* (of: Known, { data, label, labels, missing }: Asked) {
  const { classNames, task } = of
  const own = of.preprocessing?.columns.map(({ name }) => name) ?? of.inputNames
  const frame = yield* TrainingData.read(data, {
    label,
    labels,
    ...TrainingData.known(data, { names: own, task, classNames }),
    ...(Source.isTable(data) && Preprocessing.reading(of.preprocessing?.columns ?? [])),
    ...(missing !== undefined && { missing })
  })
  const names = own.length === 0 ? frame.columns.map(({ name }) => name) : own
  const mine = { names, task, classNames }
  yield* TrainingData.same("data as it was trained on", mine, frame, data)
  return { frame, read: yield* Frame.toDataset(frame, of.preprocessing ?? (yield* Preprocessing.fit(frame))) }
})
