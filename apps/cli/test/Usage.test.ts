/**
 * Wrong usage: one line on stderr, nothing on stdout, exit code 2.
 */
import { assert, describe, it } from "vitest"
import { rai } from "./CommandLine.ts"

const train = ["train", "--data", "xor", "--circuit", "2,4,1", "--plan", "relax:3"]

const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
  [["fly"], /Unknown subcommand "fly"/],
  [["verify"], /expected model\.onnx, but none came; `rai verify --help`/],
  [["export", "run"], /expected --out, but none came/],
  [["export", "run", "--out", "."], /--out: expected a file, but «\.» came;/],
  [["train", "--circuit", "2,4,1"], /expected --data, but none came.*--data moons-100/],
  [[...train, "--sed", "1"], /--sed .*Did you mean this\? --seed;/],
  [[...train, "--activation", "cosine"], /--activation: expected "sigmoid".*«cosine» came/],
  [[...train, "--seed", "1.5"], /--seed: expected an integer, but «1.5» came/],
  [[...train, "--seed", "-1"], /a seed from 0 to 4294967295, but -1 came/],
  [[...train, "--seed", "4294967296"], /a seed from 0 to 4294967295/],
  [[...train, "--seed", "1", "--seeds", "0-9"], /--seed or --seeds, but both came/],
  [[...train, "--seeds", "9-1"], /seeds such as 0-9 or 0,2,5, but «9-1» came/],
  [[...train, "--stop-loss", "NaN"], /--stop-loss: expected a finite number, but «NaN» came/],
  [[...train, "--resume"], /--resume came without --out/]
]

describe.concurrent("usage", () => {
  for (const [args, expected] of cases) {
    it(args.join(" "), async () => {
      const { code, stderr, stdout } = await rai(...args)
      assert.strictEqual(code, 2, stderr)
      assert.strictEqual(stdout, "")
      assert.match(stderr, /^error: [^\n]+\n$/)
      assert.match(stderr, expected)
    })
  }
})
