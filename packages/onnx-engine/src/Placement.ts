/**
 * Decides in which region each tensor of a program is, so that as little as possible is copied: a view is where its base is, and the parts of a
 * concatenation are computed where they belong in it.
 */
import type { Tensor } from "@rai/core"
import type * as Arena from "./Arena.ts"
import type * as Job from "./Job.ts"
import * as Known from "./Known.ts"
import * as Region from "./Region.ts"
import * as Views from "./Views.ts"

/** What is decided before the tensors are placed. */
export interface Decided {
  /** Allocates a region that is needed only during a run. */
  readonly passing: Arena.Allocate
  /** Returns the region of an input. */
  readonly inputs: (input: Tensor.Tensor) => Region.Region
  /** Returns the region that a tensor is best computed in, if there is one. */
  readonly preferred: (node: Tensor.Tensor) => Region.Region | undefined
}

/** The regions of a program's tensors. */
export class Placement {
  /** Tensors that the graph computes, and where it writes them. */
  readonly computed = new Map<Tensor.Tensor, Region.Region>()
  /** Copies that concatenations still need once the graph has run. */
  readonly gathers: Array<Job.Move> = []
  private readonly regions = new Map<Tensor.Tensor, Region.Region>()
  private readonly decided: Decided

  constructor(decided: Decided) {
    this.decided = decided
  }

  /** Allocates a region that is needed only during a run. */
  readonly regionFor = (node: Tensor.Tensor): Region.Region =>
    this.decided.passing(Known.shapeOf(node), Known.kindOf(node))

  /** Places a tensor that the graph does not compute. */
  settle(node: Tensor.Tensor, region: Region.Region): Region.Region {
    this.regions.set(node, region)
    return region
  }

  /** Returns the region of a tensor, after placing it if need be. */
  readonly regionOf = (node: Tensor.Tensor): Region.Region => {
    const known = this.regions.get(node)
    if (known !== undefined) return known
    const { base, offset } = Views.of(node)
    if (base !== node) return this.settle(node, Region.part(this.regionOf(base), offset, Known.shapeOf(node)))
    if (Views.isInput(node)) return this.settle(node, this.decided.inputs(node))
    if (Views.isJoined(node)) return this.settle(node, this.concatenation(node))
    return this.compute(node, this.decided.preferred(node) ?? this.regionFor(node))
  }

  private compute(node: Tensor.Tensor, region: Region.Region): Region.Region {
    this.computed.set(node, region)
    return this.settle(node, region)
  }

  /**
   * Places a concatenation. Where its first or last part is a slice of a tensor that is computed as a whole, the rest of that tensor gets room around
   * it.
   */
  private concatenation(node: Tensor.Tensor): Region.Region {
    const [first, last] = [node.operands[0]!, node.operands.at(-1)!]
    const isFree = ({ base }: Views.View) => !Views.isInput(base) && !this.regions.has(base)
    const before = isFree(Views.of(first)) ? Views.of(first).offset : 0
    const after = isFree(Views.of(last)) ? beyond(last) : 0
    const room = this.decided.passing([before + Known.sizeOf(node) + after], Known.kindOf(node))
    const region = Region.part(room, before, Known.shapeOf(node))
    this.fill(region, node, before, after)
    return region
  }

  /**
   * Arranges for a tensor's values to be in a region around which `before` and `after` elements are free: it is computed right there, as are the
   * parts of a concatenation, unless it has a region of its own, from which it is copied.
   */
  private fill(region: Region.Region, node: Tensor.Tensor, before: number, after: number): void {
    if (Views.isJoined(node) && !this.regions.has(node)) {
      let offset = 0
      for (const [i, operand] of node.operands.entries()) {
        const room = [i === 0 ? before : 0, i === node.operands.length - 1 ? after : 0] as const
        this.fill(Region.part(region, offset, Known.shapeOf(operand)), operand, ...room)
        offset += Known.sizeOf(operand)
      }
      return
    }
    const { base, offset } = Views.of(node)
    if (this.regions.has(node) || this.regions.has(base) || Views.isInput(base)) {
      this.gathers.push({ from: this.regionOf(node), to: region })
    } else if (offset <= before && beyond(node) <= after) {
      const whole = Region.part(region, -offset, Known.shapeOf(base))
      if (base !== node && Views.isJoined(base)) this.fill(whole, base, before - offset, after - beyond(node))
      else this.compute(base, whole)
    } else {
      this.compute(node, region)
    }
  }
}

/** Number of elements of a view's base after the view. */
const beyond = (node: Tensor.Tensor): number => {
  const { base, offset } = Views.of(node)
  return Known.sizeOf(base) - offset - Known.sizeOf(node)
}
