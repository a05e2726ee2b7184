/**
 * Groups of what a phase trains, parameters and auxiliaries: an elementwise rule updates small arrays of one rate as a single one, concatenated, in a
 * dozen operations instead of a dozen for each. Large arrays stay separate, since copying them would cost more than the calls saved.
 */
import * as NdArray from "../tensor/NdArray.ts"
import { concat, type Tensor } from "../tensor/Tensor.ts"

/** What a rule updates at once: one array under its own name, or several under a common one. */
export interface ParameterGroup {
  readonly name: string
  readonly members: ReadonlyArray<string>
  readonly shape: ReadonlyArray<number>
}

/** The numbers of the largest array that is concatenated with others. */
const largest = 2 ** 15

/** Groups the arrays; `group` names the group that a small array may join, or is undefined where it must stay separate. */
export const make = (
  shapes: Readonly<Record<string, ReadonlyArray<number>>>,
  group: (name: string) => string | undefined
): ReadonlyArray<ParameterGroup> => {
  const joining = Map.groupBy(Object.keys(shapes), (name) =>
    NdArray.size(shapes[name]!) <= largest ? group(name) : undefined
  )
  const alone = (name: string): ParameterGroup => ({ name, members: [name], shape: shapes[name]! })
  return [...joining].flatMap(([name, members]) =>
    name === undefined || members.length === 1
      ? members.map(alone)
      : [{ name, members, shape: [members.reduce((total, member) => total + NdArray.size(shapes[member]!), 0)] }]
  )
}

/** Concatenates the members' tensors. */
export const join = ({ members }: ParameterGroup, of: (name: string) => Tensor): Tensor =>
  members.length === 1
    ? of(members[0]!)
    : concat(
        members.map((name) => flat(of(name))),
        0
      )

/** Splits the concatenated tensor into its members. */
export const split = (
  { members }: ParameterGroup,
  whole: Tensor,
  like: (name: string) => Tensor
): Record<string, Tensor> => {
  if (members.length === 1) return { [members[0]!]: whole }
  let start = 0
  return Object.fromEntries(
    members.map((name) => {
      const { shape } = like(name)
      const end = start + NdArray.size(shape as ReadonlyArray<number>)
      const part = whole.slice(0, start, end).reshape(shape)
      start = end
      return [name, part] as const
    })
  )
}

const flat = (tensor: Tensor): Tensor => tensor.reshape([NdArray.size(tensor.shape as ReadonlyArray<number>)])
