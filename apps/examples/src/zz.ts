import * as tf from "@tensorflow/tfjs-core"
import { start, step } from "./rai-from-scratch.ts"
import { createRequire } from "node:module"
const require = createRequire("/work/main/packages/core/src/index.ts"); (require("node:util") as any).isNullOrUndefined = (v: unknown) => v == null
require("@tensorflow/tfjs-node"); tf.setBackend("tensorflow")
tf.enableProdMode()
const n = 100
const φ = tf.linspace(0, Math.PI, n/2)
const moon = (x: tf.Tensor, y: tf.Tensor) => tf.stack([x, y], 1)
const x = tf.add(tf.concat([moon(tf.cos(φ), tf.sin(φ)), moon(tf.sub(1, tf.cos(φ)), tf.sub(0.5, tf.sin(φ)))]), tf.randomNormal([n, 2], 0, 0.1, "float32", 42))
const y = tf.concat([tf.zeros([n/2, 1]), tf.ones([n/2, 1])])
const run = (depth: number, width: number, rate: number, gain: number, seed: number, every: number, steps=500) => {
  const widths = [2, ...Array(depth).fill(width), 1]
  const W = widths.slice(1).map((o: number, t: number) => { const bound = gain*1/Math.sqrt(widths[t]); return tf.randomUniform([widths[t], o], -bound, bound, "float32", seed+t) })
  const b = widths.slice(1).map((o: number, t: number) => t ? tf.mul(-0.5, tf.sum(W[t]!, 0)) : tf.randomUniform([o], -gain, gain, 'float32', 1000+seed+t))
  let s = start(W, b, x, rate)
  const t0 = performance.now()
  const out: string[] = []
  for (let i = 0; i <= steps; i++) {
    if (i % 100 === 0) { 
      let z = x; s.W.forEach((w, t) => { z = tf.add(tf.matMul(t ? tf.sigmoid(z) : z, w.value), s.b[t]!.value) })
      const loss = tf.mean(tf.sub(tf.softplus(z), tf.mul(y, z))).dataSync()[0]!, acc = tf.mean(tf.cast(tf.equal(tf.greater(z, 0), tf.greater(y, 0.5)), "float32")).dataSync()[0]!
      out.push(`${loss.toFixed(3)}/${acc.toFixed(2)}`) }
    if (i > 0 && i % every === 0) s = { ...s, z: start(s.W.map(v=>v.value), s.b.map(v=>v.value), x, rate).z }
    s = tf.tidy(() => step(s, x, y))
  }
  console.log(depth, width, rate, gain, every, seed, out.join(" "), (performance.now()-t0).toFixed(0), "ms")
}
for (const [d, w, r, g, k] of JSON.parse(process.argv[2]!)) for (const seed of [0, 1, 2]) run(d, w, r, g, seed, k)
