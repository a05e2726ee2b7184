/**
 * Runs per second of two models of one network on onnxruntime, alternating in one process and one thread: `node runs.ts OURS THEIRS BATCH ROUND`;
 * prints one JSON line. It measures processor time, which other load on the machine does not consume.
 */
import { InferenceSession, Tensor } from "@rai/onnxruntime"
import * as Row from "./Row.ts"

const [ours, theirs, batch, round] = process.argv.slice(2) as [string, string, string, string]

const rows = Number(batch)
const points = Float32Array.from({ length: 2 * rows }, (_, i) => 3 * Math.sin(i))
const x = new Tensor("float32", points, [rows, 2])

/** The models; whichever is opened last is about 1 % faster, so the order alternates from round to round. */
const files = [
  ["rai", ours],
  ["torch.onnx", theirs]
] as const
const contestants = []
for (const [name, file] of Number(round) % 2 === 0 ? files : files.toReversed()) {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 })
  const answers = Object.values(await session.run({ x }))[0]!.data as Float32Array
  contestants.push({ name, session, answers, seconds: [] as Array<number> })
}

const [first, second] = contestants.map(({ answers }) => answers) as [Float32Array, Float32Array]
const apart = first.reduce((largest, value, i) => Math.max(largest, Math.abs(value - second[i]!)), 0)
if (!(apart <= 1e-5)) throw new Error(`expected two models of one network, but their answers are ${apart} apart`)

/** Runs per turn: several for small batches, because processor time is measured coarsely. */
const times = Math.ceil(64 / rows)
const milliseconds = 6000
const start = performance.now()
for (let turn = 0; performance.now() - start < milliseconds; turn++) {
  for (const { seconds, session } of turn % 2 === 0 ? contestants : contestants.toReversed()) {
    const before = process.cpuUsage()
    for (let i = 0; i < times; i++) await session.run({ x })
    const { system, user } = process.cpuUsage(before)
    seconds.push((user + system) / 1e6 / times)
  }
}
const says = contestants.map(({ name, seconds }) => [name, 1 / Row.median(seconds)])
console.log(JSON.stringify(Object.fromEntries(says)))
