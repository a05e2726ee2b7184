/**
 * The rows of the benchmark: what is measured.
 */
import type { Cold, Served } from "./Cold.ts"
import type { Contestant } from "./Contestant.ts"
import type { Row } from "./Row.ts"

/** Locations of the peers: a Python with torch, jax and scikit-learn, and the folder of their scripts. */
export interface Peers {
  readonly python: string
  readonly scripts: string
}

const deep = "2,100x100,1"

/** A thousand test points that no run trains on. */
const fresh = "moons:n=1000,noise=0.1,seed=7"

const node = (name: string, file: string, args: Contestant["args"]): Contestant => ({
  name,
  command: process.execPath,
  args: (round) => [new URL(file, import.meta.url).pathname, ...args(round)]
})

const steps = (engine: "onnx" | "tfjs-native", widths: string, plan: string, examples = 100, activation = "sigmoid") =>
  node(`rai (${engine})`, "steps.ts", () => [engine, widths, activation, String(examples), plan])

/** A `rai` command as users call it. */
const rai = (name: string, args: Contestant["args"]) => node(name, "../../setup/src/rai.mjs", args)

/** A whole run of `rai train`, in the single process that `rai` starts. */
const training = (engine: "onnx" | "tfjs-native", widths: string, plan: string) =>
  node(`rai (${engine})`, "../../cli/.bundle/main.js", () =>
    `train --data moons-100 --circuit ${widths} --plan ${plan} --engine ${engine} --json`.split(" ")
  )

const torch = (peers: Peers | undefined, method: string, count: number): ReadonlyArray<Contestant> =>
  peers === undefined
    ? []
    : [
        {
          name: "PyTorch",
          command: peers.python,
          args: () => [
            `${peers.scripts}/rai_torch.py`,
            "--circuit",
            "deep",
            "--method",
            method,
            "--steps",
            String(count)
          ]
        }
      ]

const jax = (peers: Peers | undefined, script: string, args: Contestant["args"]): ReadonlyArray<Contestant> =>
  peers === undefined
    ? []
    : [{ name: "JAX", command: peers.python, args: (round) => [`${peers.scripts}/${script}`, ...args(round)] }]

/** The peer of the automatic plan: JAX with a cut at every tenth stage; the round is the seed. */
const planA = (peers: Peers | undefined): ReadonlyArray<Contestant> =>
  jax(peers, "rai_jax_plan_a.py", (round) => [String(round), String(round), "10", "60", "sigmoid"]).map(
    (contestant) => ({ ...contestant, reads: planAReads })
  )

/** Parses its last line, which gives means over its seeds, here a single one. */
const planAReads = (line: string): Readonly<Record<string, number>> => {
  const [, accuracy, relaxing, backpropagating, seconds] =
    /min test ([\d.]+) .* mean steps (\d+)\+(\d+) mean sec ([\d.]+)/.exec(line) ?? []
  const stepsPerSecond = (Number(relaxing) + Number(backpropagating)) / Number(seconds)
  return { testAccuracy: Number(accuracy), stepsPerSecond }
}

/** Servers of one model, each in one process on one core. */
const servers = (peers: Peers | undefined, model: string, quick: boolean): ReadonlyArray<Contestant> => {
  const cli = new URL("../../cli/src/main.ts", import.meta.url).pathname
  const server = (name: string, ...command: ReadonlyArray<string>) =>
    node(name, "serving.ts", () => [model, quick ? "1" : "5", ...command])
  const ours = server("rai serve", process.execPath, cli, "serve", "{model}", "--port", "{port}")
  if (peers === undefined) return [ours]
  const uvicorn = "-m uvicorn serve_fastapi:app --port {port} --log-level warning --loop uvloop --http httptools"
  const environment = ["env", "MODEL={model}", peers.python]
  return [ours, server("FastAPI", ...environment, ...uvicorn.split(" "), "--app-dir", peers.scripts)]
}

const perSecond: Row["of"] = ({ says }) => says.stepsPerSecond ?? Number.NaN

/** All rows: steps per second compared with the peers, memory, whole runs, serving and cold starts. */
export const make = (peers: Peers | undefined, quick: boolean, cold: Cold): ReadonlyArray<Row> => {
  const { folder, inputs, model, served } = cold
  const count = quick ? 60 : 250
  const relax = (more = "") => `relax:${count}:rprop=0.1:interval=${count}${more}`
  const backpropagate = `backpropagate:${count}:rprop=0.001:interval=${count}`
  const both = (plan: string) => [steps("onnx", deep, plan), steps("tfjs-native", deep, plan)]
  return [
    {
      question: "relaxing, every map cut",
      unit: "steps/s",
      of: perSecond,
      contestants: [
        ...both(relax()),
        ...torch(peers, "rai", quick ? 40 : 100),
        ...jax(peers, "rai_jax.py", () => ["--steps", String(count)]),
        node("its three products alone", "products.ts", () => [String(count)])
      ]
    },
    {
      question: "backpropagation",
      unit: "steps/s",
      of: ({ says }) => says.backpropStepsPerSecond ?? says.stepsPerSecond ?? Number.NaN,
      contestants: [
        ...both(backpropagate),
        ...torch(peers, "bp", quick ? 40 : 100),
        ...jax(peers, "rai_jax.py", () => ["--steps", "50", "--then-backprop", "200"])
      ]
    },
    {
      question: "relaxing, every tenth map cut",
      unit: "steps/s",
      of: perSecond,
      contestants: [
        // The peer measures its free run every ten steps, too.
        ...both(`relax:${count}:rprop=0.001:interval=10:every=10`),
        ...planA(peers)
      ]
    },
    {
      question: "a small circuit (2,16,1), backpropagation",
      unit: "steps/s",
      of: perSecond,
      contestants: (["onnx", "tfjs-native"] as const).map((engine) =>
        steps(engine, "2,16,1", "backpropagate:2000:rprop=0.001:interval=2000")
      )
    },
    {
      question: "peak memory, every map cut",
      unit: "MB",
      of: ({ megabytes }) => megabytes,
      contestants: [
        training("onnx", deep, relax()),
        training("tfjs-native", deep, relax()),
        ...torch(peers, "rai", 20),
        ...jax(peers, "rai_jax.py", () => ["--steps", "50"])
      ]
    },
    {
      question: "the automatic plan, from process start to the end, ≥ 99 % on fresh points",
      unit: "s",
      rounds: quick ? 1 : 5,
      of: ({ says: { testAccuracy = 0 }, seconds }) => (testAccuracy >= 0.99 ? seconds : Number.POSITIVE_INFINITY),
      contestants: [
        rai("rai (auto)", (round) => [
          ...`train --data moons-100 --circuit ${deep} --test ${fresh} --json`.split(" "),
          ...["--seed", String(round)]
        ]),
        ...planA(peers)
      ]
    },
    ...(["small", "deep"] satisfies ReadonlyArray<Served>).flatMap((circuit): ReadonlyArray<Row> => {
      const question = `serving a ${circuit} circuit, JSON, batch 1, 32 connections`
      const contestants = servers(peers, served[circuit], quick)
      return [
        { question, unit: "requests/s", of: ({ says }) => says.requestsPerSecond ?? Number.NaN, contestants },
        { question: `${question}, 99th percentile`, unit: "ms", of: ({ says }) => says.p99 ?? Number.NaN, contestants },
        // A measure that other programs on the machine barely affect.
        {
          question: `${question}, the server's own time a request`,
          unit: "µs",
          of: ({ says }) => says.cpuMicros ?? Number.NaN,
          contestants
        }
      ]
    }),
    ...[
      ["--help"],
      ["doctor"],
      ["verify", model],
      ["predict", model, "--input", inputs],
      ["landscape", model, "--out", `${folder}/landscape.svg`]
    ].map(
      (command): Row => ({
        question: `cold start of rai ${command[0]}`,
        unit: "s",
        of: ({ seconds }) => seconds,
        contestants: [rai("rai", () => command)]
      })
    )
  ]
}

/** A row whose contestants are all this project's own, each named by its position on an axis. */
export interface Series {
  readonly axis: string
  readonly row: Row
}

/** Seconds per step against depth, width and number of examples, every map cut. */
export const costs = (quick: boolean): ReadonlyArray<Series> => {
  const plan = (count: number) => `relax:${count}:rprop=0.001:interval=${count}`
  const enough = (work: number) => Math.max(16, Math.min(120, Math.round((quick ? 4e9 : 4e10) / work)))
  const at = (widths: string, work: number, examples = 100) =>
    steps("onnx", widths, plan(10 + enough(work)), examples, "tanh")
  const series = (axis: string, xs: ReadonlyArray<number>, of: (x: number) => Contestant): Series => ({
    axis,
    row: {
      question: `cost: a step by ${axis}`,
      unit: "s",
      of: ({ says }) => 1 / (says.stepsPerSecond ?? Number.NaN),
      contestants: xs.map((x) => ({ ...of(x), name: String(x) }))
    }
  })
  return [
    series("depth", quick ? [10, 100] : [10, 30, 100, 300, 1000], (n) => at(`2,100x${n},1`, 6e6 * n)),
    series("width", quick ? [10, 100] : [10, 30, 100, 300, 1000], (n) => at(`2,${n}x10,1`, 6e3 * n * n)),
    series("examples", quick ? [10, 1000] : [10, 100, 1000, 10_000], (n) => at("2,100x10,1", 6e5 * n, n))
  ]
}
