/**
 * `npm run conformance -- FOLDER`: runs the official operator tests of ONNX, as the `onnx` package writes them, on each engine.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Console, Effect, Option } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import * as Cases from "./Cases.ts"
import * as Engines from "./Engines.ts"
import * as Table from "./Table.ts"

const wrong = Effect.sync(() => {
  process.exitCode = 1
})

const conformance = Command.make(
  "conformance",
  {
    folder: Argument.Directory("FOLDER", { mustExist: true }).pipe(
      Argument.withDescription("the folder whose folders are cases, as node/test_abs")
    ),
    engine: Flag.Literals("engine", Engines.names).pipe(
      Flag.withDescription("one engine; all of them where absent"),
      Flag.optional
    )
  },
  Effect.fn("conformance")(function* ({ engine, folder }) {
    const cases = yield* Cases.inFolder(folder)
    if (cases.length === 0) {
      yield* Console.error(`error: expected folders of cases in ${folder}, as node/test_abs; src/cases.py writes them`)
      return yield* wrong
    }
    let failed = 0
    for (const name of Option.match(engine, { onNone: () => Engines.names, onSome: (one) => [one] })) {
      const ran = yield* Effect.result(Engines.run(name, cases))
      if (ran._tag === "Failure") {
        yield* Console.log(`${name}: ${ran.failure.message}`)
        continue
      }
      const outcomes = ran.success
      failed += outcomes.filter(({ result }) => result === "failed").length
      yield* Effect.forEach(Table.lines(name, outcomes), (line) => Console.log(line))
    }
    if (failed > 0) yield* wrong
  })
).pipe(Command.withDescription("Run official ONNX operator tests through the reader and each engine"))

Command.run(conformance, { version: "0.1.0" }).pipe(Effect.provide(NodeServices.layer), NodeRuntime.runMain)
