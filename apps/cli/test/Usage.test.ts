/**
 * Wrong usage: one line on stderr, nothing on stdout, exit code 2.
 */
import { assert, describe, it } from "vitest"
import { rai } from "./CommandLine.ts"

const train = ["train", "--data", "xor", "--circuit", "2,4,1", "--plan", "relax:3"]

const cost = ["cost", "--circuit", "2,4,1", "--examples"]

const serve = ["serve", "models"]

const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
  [["fly"], /Unknown subcommand "fly"/],
  [["verify"], /expected model\.onnx, but none came; `rai verify --help`/],
  [["experiment"], /expected NAME, but none came; `rai experiment --help`/],
  [["export", "run"], /expected --out, but none came/],
  [["export", "run", "--out", "."], /--out: expected a file, but «\.» came;/],
  [["train", "--circuit", "2,4,1"], /expected --data, but none came.*--data moons-100/],
  [[...train, "--sed", "1"], /--sed .*Did you mean this\? --seed;/],
  [[...train, "--activation", "cosine"], /--activation: expected "sigmoid".*«cosine» came/],
  [[...train, "--seed", "1.5"], /--seed: expected an integer, but «1.5» came/],
  [[...train, "--seed", "-1"], /a seed from 0 to 4294967295, but -1 came/],
  [[...train, "--seed", "4294967296"], /a seed from 0 to 4294967295/],
  [[...train, "--seed", "1", "--seeds", "0-9"], /--seed or --seeds, but both came/],
  [[...train, "--seeds", "9-1"], /0-9 or 0,2,5, at most a thousand, but «9-1» came; .* the lower end of a range first/],
  [[...train, "--test", "20%"], /a share such as 0.2, but «20%» came; write for instance --test 0.2/],
  [[...train, "--validation", "0,2"], /a share such as 0.2, but «0,2» came; write for instance --validation 0.2/],
  [[...train, "--stop-loss", "NaN"], /--stop-loss: expected a finite number, but «NaN» came/],
  [[...train, "--resume"], /--resume came without --out/],
  [[...train, "--batch", "4"], /--batch and --epochs with the automatic plan alone, but --plan relax:3 came too/],
  [[...cost, "10", "--plan", "relax:3", "--batch", "4"], /the automatic plan alone, but --plan relax:3 came too/],
  [
    ["predict", "model.onnx", "--input", "points.csv", "--engine", "gpu"],
    /--engine: expected "auto" \| "tfjs-native" \| "tfjs-wasm" \| "onnx" \| "reference" \| "tfjs", but «gpu» came/
  ],
  [
    [...cost, "10", "--engine", "gpu"],
    /--engine: expected "auto" \| "tfjs-native" \| "tfjs-wasm" \| "onnx" \| "reference", but «gpu» came/
  ],
  [[...cost, "0"], /--examples of at least 1, but 0 came/],
  [[...train, "--patience", "5"], /a phase that alternates or backpropagates for --patience, but the plan is relax:3:/],
  [
    [...train.slice(0, -1), "backpropagate:3", "--cut-after", "linear"],
    /a phase that relaxes or alternates for --cut-after, but the plan is backpropagate:3:/
  ],
  [[...train, "--unseen", "zeros"], /rules for missing and unseen values with a file alone, but --unseen zeros came/],
  [[...train, "--residual"], /a hidden stage of equal widths for --residual, but --circuit 2,4,1 has none; leave/],
  [["train", "--data", "xor", "--circuit", "2,1", "--activation", "tanh"], /a hidden stage for --activation, but/],
  [["cost", "--circuit", "a.json", "--examples", "9", "--residual"], /a circuit's file to say .* but --residual came/],
  [[...serve, "--port", "99999"], /--port: expected a whole number from 0 to 65535, but «99999» came;/],
  [[...serve, "--grpc-port", "70000"], /--grpc-port: expected a whole number from 0 to 65535, but «70000» came;/],
  [[...serve, "--grace", "99999999999"], /--grace: expected a whole number from 1 to 2147483, but «99999999999» came;/],
  [[...serve, "--max-body-mib", "100000"], /--max-body-mib: expected a whole number from 1 to 512, but «100000» came;/],
  [[...serve, "--max-connections", "0"], /--max-connections: expected a whole number from 1 to 1048576, but «0» came;/],
  [[...serve, "--model-control", "poll", "--poll-seconds", "0"], /--poll-seconds: expected .* from 1 to 2147483,/],
  [[...serve, "--poll-seconds", "3"], /expected --poll-seconds together with --model-control poll, but .* none;/],
  [[...serve, "--cors", "nonsense"], /--cors: expected \* or an origin such as https:.* «nonsense» came;/],
  [[...serve, "--cors", "*", "--cors", "https://a.example/"], /--cors: .* without a path, but «https:.*\/» came;/]
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
