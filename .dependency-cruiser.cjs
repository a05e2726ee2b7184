/**
 * Dependencies run one way (ARCHITECTURE.md says why). Each rule names what must not be.
 */
const within = (...folders) => `^packages/core/src/(${folders.join("|")})/`
const npm = (...names) => `(^|/)node_modules/(${names.join("|")})(/|$)`

/** Inside core: none of `from` may import any of `to`. */
const below = (from, to) => ({
  name: `core: ${from.join(", ")} stand below ${to.join(", ")}`,
  severity: "error",
  from: { path: within(...from) },
  to: { path: within(...to) }
})

/** Only `allowed` may import the packages `names`. */
const only = (name, allowed, names) => ({
  name,
  severity: "error",
  from: { path: "^(packages|apps)/", pathNot: allowed },
  to: { path: npm(...names) }
})

/** A package may import these of the workspace, and no others. */
const standsOn = (name, ...others) => ({
  name: `${name} stands on ${others.join(", ") || "no other package"}`,
  severity: "error",
  from: { path: `^packages/${name}/src/` },
  to: { path: "^packages/", pathNot: `^packages/(${[name, ...others].join("|")})/` }
})

const test = "/test/"

module.exports = {
  forbidden: [
    {
      name: "no cycles", // a cycle that a type closes is none when the program runs
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } }
    },
    {
      name: "what is imported exists",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^(bun|deno):" }
    },
    {
      name: "nothing imports an app",
      severity: "error",
      from: { path: "^(packages|apps)/([^/]+)/" },
      to: { path: "^apps/", pathNot: "^apps/$2/" }
    },
    {
      name: "a source imports no test",
      severity: "error",
      from: { path: "^(packages|apps)/[^/]+/src/" },
      to: { path: "^(packages|apps)/[^/]+/test/" }
    },
    standsOn("core"),
    standsOn("onnxruntime"),
    standsOn("export", "core", "onnxruntime"),
    standsOn("onnx-engine", "core", "export", "onnxruntime"),
    standsOn("conformance", "core"),
    standsOn("fp-ts", "core", "export"),
    standsOn("plots", "core"),
    standsOn("tensorboard", "core"),
    standsOn("experiments", "core", "plots"),
    standsOn("serving", "core", "export", "onnxruntime"),
    standsOn("client", "core", "export"),
    below(["schema"], ["tensor", "program", "engine", "circuit", "optimization", "relaxation", "training", "data"]),
    below(["tensor"], ["program", "engine", "circuit", "optimization", "relaxation", "training", "data"]),
    below(["program"], ["engine", "circuit", "optimization", "relaxation", "training", "data"]),
    below(["engine"], ["circuit", "optimization", "relaxation", "training", "data"]),
    below(["circuit", "optimization"], ["relaxation", "training"]),
    below(["relaxation"], ["training"]),
    below(["data"], ["relaxation", "training"]),
    only(
      "only core's engine/tfjs, the example from scratch and tests import TensorFlow.js",
      `^packages/core/src/engine/tfjs/|^apps/examples/src/|^apps/bench/|${test}`,
      ["@tensorflow"]
    ),
    only("only our onnxruntime imports onnxruntime-node", "^packages/onnxruntime/src/", ["onnxruntime-node"]),
    {
      name: "only serving, onnx-engine, export's Onnxruntime and the bench import onnxruntime",
      severity: "error",
      from: {
        path: "^(packages|apps)/",
        pathNot: `^packages/(onnxruntime|serving|onnx-engine)/src/|^packages/export/src/Onnxruntime\\.ts$|^apps/bench/|${test}`
      },
      to: { path: "^packages/onnxruntime/" }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(packages|apps)/[^/]+/([.]results|[.]examples|[.]bundle[.0-9]*|[.]turbo|dist|test/fixtures)/" },
    tsPreCompilationDeps: true, // an import of a type is a dependency too
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
      extensions: [".ts", ".mjs", ".js"]
    }
  }
}
