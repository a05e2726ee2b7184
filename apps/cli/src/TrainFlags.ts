/**
 * The flags of `rai train`.
 */
import { Option, Record } from "effect"
import { type Command, Flag } from "effect/cli"
import * as Described from "./Described.ts"
import * as EngineChoice from "./EngineChoice.ts"
import * as PathText from "./PathText.ts"
import * as Report from "./Report.ts"
import * as Settings from "./Settings.ts"

const describe = <A>(flag: Flag.Flag<A>, text: string, byDefault?: string | number) =>
  flag.pipe(Flag.withDescription(byDefault === undefined ? text : Described.text(text, byDefault)), Flag.optional)

/** The value of `--tensorboard` where no folder is named: event files then go into the run's own folder. */
export const inRun = ""

/** The flags, keyed by the settings that they set; `seeds`, `out`, `resume` and `json` are not settings. */
export const flags = {
  data: describe(
    PathText.flag("data"),
    "moons-100, moons, circles, spirals, blobs, xor, checkerboard, digits, with settings as in moons:n=1000,noise=0.1,seed=7; or a .csv, .npy or IDX file (MNIST's), plain or .gz"
  ),
  circuit: describe(
    PathText.flag("circuit"),
    "widths, as in 2,100x100,1: a hundred hidden layers of 100 units; or a circuit in a .json file, as a run keeps it; or an ONNX model or a layers-model of TensorFlow.js, from whose own weights training starts"
  ),
  activation: describe(Flag.Literals("activation", Settings.activations), "the hidden activation function", "sigmoid"),
  residual: Flag.Boolean("residual").pipe(
    Flag.withDescription("put a way around each hidden stage of equal widths: z + f(z)"),
    Flag.withDefault(false)
  ),
  plan: describe(
    Flag.String("plan"),
    "auto, or phases one after the other, each a name, a length and settings, as in relax:250:rprop=0.1:every=10,backpropagate:40:adam=0.001:batch=64; relax, alternate and backpropagate take a rule (rprop, adam, adamw, sgd, rmsprop, muon), batch, curve, clip, l1, l2, interval, patience, attempts and only, the first two also every and after, relax lambda, ramp, hidden, energy, refresh, sweep, penalty, noise, multipliers and output, alternate uncentred",
    "auto"
  ),
  cutAfter: describe(
    Flag.String("cut-after"),
    "after which blocks or operators to relax, as in linear, tanh or Gemm,MatMul",
    "what the plan says"
  ),
  start: describe(Flag.Literals("start", Settings.starts), "where weights start; auto leaves it to the plan", "auto"),
  batch: describe(Flag.Int("batch"), "train in batches of so many examples; 64 where --epochs is given"),
  epochs: describe(Flag.Int("epochs"), "passes over the data in batches; 40 where --batch is given"),
  validation: describe(
    PathText.flag("validation"),
    "data that decide which parameters are the best, or a share of the training data, as in 0.2"
  ),
  patience: describe(
    Flag.Int("patience"),
    "end a phase, with the best parameters, after so many steps or epochs without a better free run"
  ),
  seed: describe(Flag.Int("seed"), "decides the initial weights", 0),
  seeds: describe(Flag.String("seeds"), "several runs, as in 0-9 or 0,2,5"),
  engine: describe(
    Flag.Literals("engine", EngineChoice.names),
    "what computes; auto takes the fastest that works here",
    "auto"
  ),
  device: describe(
    Flag.Literals("device", EngineChoice.devices),
    "where the onnx engine computes: cpu, or cuda where onnxruntime's CUDA provider is set up",
    "cpu"
  ),
  test: describe(PathText.flag("test"), "data to score on, or a share of the data to keep aside, as in 0.2"),
  label: describe(Flag.String("label"), "the label's column of a file", "the last one"),
  labels: describe(
    PathText.flag("labels"),
    "the file of the labels of an .npy or IDX file",
    "the one that is named alike"
  ),
  task: describe(
    Flag.Literals("task", ["binary", "classes", "regression"]),
    "what the label means, where it is not plain"
  ),
  categorical: describe(
    Flag.String("categorical"),
    "the columns of a file that hold categories, as in colour,size: each category becomes an input"
  ),
  missing: describe(
    Flag.Literals("missing", ["error", "drop", "mean", "median"]),
    "missing values: an error, drop their examples, or fill in the training data's mean or median (of categories the most frequent)",
    "error"
  ),
  standardise: Flag.Boolean("standardise").pipe(
    Flag.withDescription("give each column of numbers mean 0 and deviation 1, as learned from the training data"),
    Flag.withDefault(false)
  ),
  unseen: describe(
    Flag.Literals("unseen", ["error", "zeros"]),
    "a category that the training data lack: an error, or zeros",
    "error"
  ),
  stopLoss: describe(Flag.Finite("stop-loss"), "end the run once the free-run training loss is below this"),
  out: describe(PathText.flag("out"), "the folder that keeps checkpoint, metrics, summary, circuit and plots"),
  tensorboard: describe(
    Flag.withOptionalValue(PathText.flag("tensorboard"), inRun),
    "event files that TensorBoard opens, in this folder, or in the run's own"
  ),
  resume: Flag.Boolean("resume").pipe(
    Flag.withDescription("go on with the run in --out, with the settings it began with"),
    Flag.withDefault(false)
  ),
  compare: Flag.Boolean("compare").pipe(
    Flag.withDescription("also backpropagate alone from the same start, and print both in a table"),
    Flag.withDefault(false)
  ),
  json: Report.jsonFlag
}

/** The parsed flags. */
export type Given = Command.Command.Config.Infer<typeof flags>

type Value<A> = A extends Option.Option<infer B> ? B | undefined : A extends boolean ? true | undefined : A

type Values<A> = { readonly [K in keyof A]: Value<A[K]> }

/** Unwraps the flags: undefined where a flag was not given. */
export const values = <A extends Readonly<Record<string, unknown>>>(given: A): Values<A> =>
  Record.map(given, (value) => {
    if (Option.isOption(value)) return Option.getOrUndefined(value)
    return value === false ? undefined : value
  }) as Values<A>
