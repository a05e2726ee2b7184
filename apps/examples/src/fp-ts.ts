/**
 * The same pipelines for fp-ts: a plan summed from its phases, three seeds on one engine, the best of their results, an ONNX file.
 */
import { Circuit, Plan, TfjsEngine } from "@rai/core"
import { Data, Engine, Model, Plans, Results, Score, Training } from "@rai/fp-ts"
import * as Console from "fp-ts/lib/Console.js"
import { pipe } from "fp-ts/lib/function.js"
import { concatAll } from "fp-ts/lib/Monoid.js"
import * as RTE from "fp-ts/lib/ReaderTaskEither.js"
import * as RNEA from "fp-ts/lib/ReadonlyNonEmptyArray.js"
import * as T from "fp-ts/lib/Task.js"
import * as TE from "fp-ts/lib/TaskEither.js"

const circuit = Circuit.perceptron([2, 16, 16, 16, 1], { activation: "tanh" })

/** Relax, then backpropagate until the free run is good; the last part sets the stopping rule and the start for the whole plan. */
const plan = concatAll(Plans.Monoid)([
  Plan.relax({ steps: 60 }),
  Plan.backpropagate({ steps: 400 }),
  Plan.make().pipe(Plan.stoppingAt({ loss: 0.05 }), Plan.startingAt("orthogonal"))
])

const program = pipe(
  RTE.Do,
  RTE.apS("data", Data.read("moons-100")),
  RTE.apS("fresh", Data.read("moons:n=1000,noise=0.1,seed=2024")),
  RTE.bind("results", ({ data }) =>
    pipe(
      RNEA.range(0, 2),
      RTE.traverseReadonlyNonEmptyArrayWithIndex((seed) => Training.run(circuit, data, { plan, seed }))
    )
  ),
  RTE.let("best", ({ results }) => RNEA.concatAll(Results.best)(results)),
  RTE.bind("parity", ({ best }) => Model.write(best.trained, "best.onnx")),
  RTE.bind("score", ({ best, fresh }) => Score.score(best.trained, fresh)),
  RTE.map(({ best, parity, results, score }) => [
    ...results.map(
      (result, seed) => `seed ${seed}: free-run loss ${Results.loss(result)} after ${result.progress.total} steps`
    ),
    `seed ${best.trained.origin.seed} is the best: accuracy ${score.accuracy} on 1000 fresh points`,
    `best.onnx: at most ${parity.maxAbsDifference} from its free run`
  ])
)

await pipe(
  program,
  Engine.using(TfjsEngine.layer), // opened once, released at the end
  TE.getOrElse((error) => () => Promise.reject(error)), // here the program ends; elsewhere switch on error._tag
  T.flatMapIO((lines) => Console.log(lines.join("\n")))
)()
