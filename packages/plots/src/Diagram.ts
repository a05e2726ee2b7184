/**
 * A circuit as a diagram: each block with its output shape, parameters and cost, repeated blocks once, and a z where an activation is relaxed.
 */
import { type Block, Circuit, Cost, NdArray, Graph as Network } from "@rai/core"
import type { Attributes, Edge, Graph } from "@viz-js/viz"
import { Effect } from "effect"
import * as Sizes from "./internal/Sizes.ts"
import * as Svg from "./internal/Svg.ts"
import * as Theme from "./internal/Theme.ts"

/** What is drawn in addition to the circuit. */
export interface Settings {
  /** The paths that are cut, as `Cut.sites` returns them. */
  readonly cuts?: ReadonlySet<string>
}

/**
 * The circuit as SVG, input at the top, output at the bottom. Fails with `ShapeMismatch` where its blocks do not fit each other.
 *
 * ```ts
 * import { Circuit, Cut } from "@rai/core"
 * import { Diagram } from "@rai/plots"
 * import { Effect } from "effect"
 *
 * const circuit = Circuit.perceptron([2, ...Array<number>(100).fill(100), 1])
 * const svg = await Effect.runPromise(Diagram.svg(circuit, { cuts: Cut.sites(circuit, Cut.paper) }))
 * console.log(svg.includes("× 99")) // => true
 * ```
 */
export const svg = Effect.fn("Diagram.svg")(function* (circuit: Circuit.Circuit, { cuts = new Set() }: Settings = {}) {
  const sizes = yield* Sizes.of(circuit)
  const graph = draw(circuit, sizes, cuts)
  // Graphviz is a megabyte, loaded only when something is drawn.
  const viz = yield* Effect.promise(() => import("@viz-js/viz").then(({ instance }) => instance()))
  const { output = "" } = viz.render(graph, { format: "svg" })
  // Graphviz repeats names in titles and comments, and the names in imported networks may contain anything.
  return Svg.wellFormed(inInter(output.slice(output.indexOf("<svg"))))
})

/** Graphviz knows the letter widths of Arial only; Inter's letters are as wide at this fraction of the size. */
const narrower = 0.87

const inInter = (svg: string): string =>
  svg
    .replaceAll(`font-family="${type.fontname}"`, `font-family="${Theme.fontFamily}"`)
    .replaceAll(/font-size="([\d.]+)"/g, (_, size) => `font-size="${(narrower * Number(size)).toFixed(2)}"`)

interface Drawn extends Required<Pick<Graph, "nodes" | "edges" | "subgraphs">> {
  /** The node that feeds the next block. */
  readonly last: string
}

const draw = (circuit: Circuit.Circuit, sizes: ReadonlyMap<string, Sizes.Size>, cuts: ReadonlySet<string>): Graph => {
  const sitesOf = Map.groupBy(Circuit.sites(circuit), ({ leaf }) => leaf)
  /** A name for a node that is not a place of the circuit, different from those of all places. */
  const apart = (name: string): string => (sizes.has(name) ? apart(`${name}′`) : name)
  const [input, output] = [apart("input"), apart("output")]
  /** A node, followed where it is cut by the auxiliary that takes its place. */
  const place = (path: string, leaf: string, from: ReadonlyArray<string>, attributes: Attributes): Drawn => {
    const all = sitesOf.get(leaf)!.map((site) => site.path)
    const cut = all.filter((site) => cuts.has(site)).length
    const label = cut === all.length ? "z" : `z (${cut} of ${all.length})`
    return placed(path, cut === 0 ? undefined : label, from, attributes)
  }
  const placed = (
    path: string,
    label: string | undefined,
    from: ReadonlyArray<string>,
    attributes: Attributes
  ): Drawn => {
    const edges = from.map((tail): Edge => ({ tail, head: path }))
    const nodes = [{ name: path, attributes }]
    if (label === undefined) return { last: path, nodes, edges, subgraphs: [] }
    const z = apart(`z ${path}`)
    return {
      last: z,
      nodes: [...nodes, { name: z, attributes: { ...auxiliary, label } }],
      edges: [...edges, { tail: path, head: z, attributes: { style: "dashed", arrowhead: "none" } }],
      subgraphs: []
    }
  }
  /** The places of a network, each connected to those that it is computed from. */
  const network = (block: Block.Block, graph: Circuit.Graph, path: string, from: string): Drawn => {
    const ends = new Map<Circuit.Place | undefined, string>([[undefined, from]])
    const shares = Network.shares(block)
    const parts = graph.places.map((place) => {
      const here = Circuit.join(path, place.name)
      const stretch = Network.stretch(graph, place.result)
      const shape = sizes.get(here)!.shape
      const flops = stretch.nodes.reduce((total, node) => total + Cost.flops(node, one), 0)
      const own: Block.Block = { ...block, kind: place.kind, settings: {}, parameters: shares.get(place.name)! }
      const label = { html: labelOf(own, { shape, flops }, 1) }
      const drawn = placed(
        here,
        cuts.has(here) ? "z" : undefined,
        stretch.from.map((before) => ends.get(before)!),
        { label }
      )
      ends.set(place, drawn.last)
      return drawn
    })
    const [last] = Network.stretch(graph, graph.program.outputs.output!).from
    const end = graph.places.find(({ result }) => result === graph.program.outputs.output) ?? last
    return together(parts, { last: ends.get(end)!, nodes: [], edges: [], subgraphs: [] })
  }
  const walk = (part: Circuit.Circuit, path: string, leaf: string, from: string): Drawn => {
    const at = (step: string | number) => [Circuit.join(path, step), Circuit.join(leaf, step)] as const
    switch (part._tag) {
      case "Block": {
        if (part.graph !== undefined) return network(part, part.graph, path, from)
        const times = sitesOf.get(leaf)!.length
        return place(path, leaf, [from], { label: { html: labelOf(part, sizes.get(path)!, times) } })
      }
      case "Sequence":
        return chain(
          part.children.map((child, i) => (before) => walk(child, ...at(i), before)),
          from
        )
      case "Repeat": {
        const [here, own] = [Circuit.join(path, 0), Circuit.join(leaf, "*")]
        const entry = apart(`turn ${path}`)
        const { last, ...within } = walk(part.child, here, own, entry)
        const [first, ...more] = within.edges.filter(({ tail }) => tail === entry)
        // A turn takes the result of the one before, so what goes around its blocks begins within the frame. A turn may hold no block at all.
        const isShared = first === undefined || more.length > 0
        const entering = isShared
          ? [{ tail: from, head: entry, attributes: { arrowhead: "none" } }]
          : [{ ...first, tail: from }]
        const inside = isShared ? within.edges : within.edges.filter((edge) => edge !== first)
        const nodes = isShared ? [{ name: entry, attributes: point }, ...within.nodes] : within.nodes
        const graphAttributes = { ...cluster, label: `× ${part.times}` }
        return {
          last,
          nodes: [],
          edges: entering,
          subgraphs: [{ name: `cluster ${path}`, ...within, nodes, edges: inside, graphAttributes }]
        }
      }
      case "Residual": {
        const child = walk(part.child, ...at(0), from)
        return together([child], place(path, leaf, [child.last, from], { ...sum, label: "+" }))
      }
      case "Branch": {
        const children = part.children.map((child, i) => walk(child, ...at(i), from))
        const html = labelled("concat", [`[${sizes.get(path)!.shape.join(" × ")}]`])
        return together(
          children,
          place(
            path,
            leaf,
            children.map(({ last }) => last),
            { label: { html } }
          )
        )
      }
    }
  }
  const { last, ...whole } = walk(circuit, "", "", input)
  const end = [...sizes.values()].at(-1)!
  return {
    name: "circuit",
    directed: true,
    graphAttributes: { ...type, rankdir: "TB", nodesep: 0.3, ranksep: 0.25, bgcolor: "white", pad: 0.2 },
    nodeAttributes: {
      ...type,
      shape: "box",
      style: "rounded",
      color: Theme.ink.line,
      penwidth: 0.8,
      margin: "0.14,0.07"
    },
    edgeAttributes: { color: Theme.ink.quiet, penwidth: 0.8, arrowsize: 0.6 },
    nodes: [
      { name: input, attributes: { ...bare, label: `x: [${Circuit.inputs(circuit)}]` } },
      ...whole.nodes,
      { name: output, attributes: { ...bare, label: `ẑ: [${end.shape.join(" × ")}]` } }
    ],
    edges: [...whole.edges, { tail: last, head: output }],
    subgraphs: whole.subgraphs
  }
}

/** The batch dimension for a single example. */
const one = new Map([[Network.batch, 1]])

const chain = (parts: ReadonlyArray<(from: string) => Drawn>, from: string): Drawn =>
  parts.reduce<Drawn>((before, part) => together([before], part(before.last)), {
    last: from,
    nodes: [],
    edges: [],
    subgraphs: []
  })

const together = (before: ReadonlyArray<Drawn>, next: Drawn): Drawn => ({
  last: next.last,
  nodes: [...before, next].flatMap(({ nodes }) => nodes),
  edges: [...before, next].flatMap(({ edges }) => edges),
  subgraphs: [...before, next].flatMap(({ subgraphs }) => subgraphs)
})

const type = { fontname: "Helvetica,Arial,sans-serif", fontsize: 13.8, fontcolor: Theme.ink.text }
const bare = { shape: "plain" }
const point = { shape: "point", width: 0.05, color: Theme.ink.quiet }
const sum = { shape: "circle", width: 0.3, fixedsize: true, margin: 0, fontsize: 16 }
const cluster = { ...type, style: "rounded", color: Theme.ink.quiet, labeljust: "r", margin: 10 }
const auxiliary = {
  shape: "ellipse",
  style: "filled",
  fillcolor: "#e69f00",
  color: "#e69f00",
  margin: "0.05,0.02",
  height: 0.25,
  width: 0.3,
  fontsize: 11
}

/** A block's kind with its details below, of a repeated block for all turns. */
const labelOf = (block: Block.Block, { flops, shape }: Sizes.Size, times: number): string => {
  const numbers = Object.values(block.parameters)
    .filter(Circuit.isTrained)
    .reduce((total, of) => total + NdArray.size(of.shape), 0)
  const counted = (number: number, unit: string) =>
    number === 0 ? [] : [`${times === 1 ? "" : `${times} × `}${number.toLocaleString("en")} ${unit}`]
  return labelled(Circuit.print(block), [
    `[${shape.join(" × ")}]`,
    ...counted(numbers, "parameters"),
    ...counted(flops, "FLOP")
  ])
}

const labelled = (name: string, details: ReadonlyArray<string>): string =>
  `${Svg.escape(name)}<br/><font point-size="10.9" color="${Theme.ink.quiet}">${details.map(Svg.escape).join(" · ")}</font>`
