import { describe, expectTypeOf, it } from "@effect/vitest"
import type { Circuit, Dataset, Parts, Plan, Trained, TrainingEvent } from "@rai/core"
import { type Data, type Engine, type Pipeline, type Plans, type RaiError, Results, Training } from "@rai/fp-ts"
import { pipe } from "fp-ts/lib/function.js"
import type { Monoid } from "fp-ts/lib/Monoid.js"
import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
import type { Semigroup } from "fp-ts/lib/Semigroup.js"

// The compiler checks these.
describe("types", () => {
  it("a pipeline is a ReaderTaskEither<Engine, RaiError, A>", () => {
    expectTypeOf<Pipeline.Pipeline<number>>().toEqualTypeOf<RTE.ReaderTaskEither<Engine.Engine, RaiError, number>>()
    expectTypeOf<ReturnType<typeof Data.read>>().toEqualTypeOf<Pipeline.Pipeline<Dataset.Dataset>>()
    expectTypeOf<ReturnType<typeof Training.fit<never>>>().toEqualTypeOf<Pipeline.Pipeline<Trained.Trained>>()
    expectTypeOf<typeof Plans.Monoid>().toEqualTypeOf<Monoid<Plan.Plan>>()
    expectTypeOf<typeof Results.best>().toEqualTypeOf<Semigroup<TrainingEvent.Finished>>()
  })

  it("errors of one's own, as of parts, are added", () => {
    type Mine = { readonly _tag: "Mine" }
    const fit = (parts: Parts.Parts<Mine>, data: Dataset.Dataset, circuit: Circuit.Circuit) =>
      Training.fit(circuit, data, { parts })
    expectTypeOf(fit).returns.toEqualTypeOf<RTE.ReaderTaskEither<Engine.Engine, RaiError | Mine, Trained.Trained>>()
  })

  it("pipelines compose without widening, and what is composed is inferred", () => {
    const composed = (read: ReturnType<typeof Data.read>, fit: (data: Dataset.Dataset) => Pipeline.Pipeline<number>) =>
      pipe(
        RTE.Do,
        RTE.apS("data", read),
        RTE.bind("number", ({ data }) => fit(data)),
        RTE.map(({ number }) => [number])
      )
    expectTypeOf(composed).returns.toEqualTypeOf<Pipeline.Pipeline<Array<number>>>()
    expectTypeOf(Results.loss).returns.toEqualTypeOf<number>()
  })

  it("an error is one of these, each told by its tag", () =>
    expectTypeOf<RaiError["_tag"]>().toEqualTypeOf<
      | "AnswersNotFinite"
      | "AnswersUnfit"
      | "ArchiveInvalid"
      | "BackendMissing"
      | "CallbackFailed"
      | "Cancelled"
      | "CircuitInvalid"
      | "DataInvalid"
      | "EngineFailed"
      | "FileUnreadable"
      | "FileUnwritable"
      | "InputsUnfit"
      | "LayersUnsupported"
      | "ModelChanged"
      | "ModelInvalid"
      | "NotAnOnnxModel"
      | "NothingExposed"
      | "NumbersLost"
      | "OnnxruntimeFailed"
      | "OperatorUnsupported"
      | "OpsetUnknown"
      | "ParityLost"
      | "PlanInvalid"
      | "PlanUnfit"
      | "PlatformError"
      | "RecordInvalid"
      | "ShapeMismatch"
      | "WidthsMismatch"
    >())
})
