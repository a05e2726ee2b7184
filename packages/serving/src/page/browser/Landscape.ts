/**
 * The decision landscape of a model of two inputs: one request with a row for each cell of the plane, its answers shown as colours.
 */
import { byId, make, say } from "./Element.ts"
import * as Plane from "./Plane.ts"
import * as Print from "./Print.ts"
import type { Signature, Tensor } from "./Request.ts"
import * as Server from "./Server.ts"
import * as Viridis from "./Viridis.ts"

/** Number of cells along a side. */
const n = 100

interface Subject {
  readonly path: string
  readonly model: string
  readonly input: Tensor
}

/** The last answer, and the ranges it was asked for. */
interface Drawn {
  readonly data: ReadonlyArray<unknown>
  readonly across: Plane.Range
  readonly up: Plane.Range
  readonly output: string
}

type Limits = readonly [HTMLInputElement, HTMLInputElement, HTMLInputElement, HTMLInputElement]

const section = byId("landscape")
const output = byId("output") as HTMLSelectElement
const column = byId("column").querySelector("select")!
const canvas = section.querySelector("canvas")!
const svg = section.querySelector("svg")!
const spot = svg.querySelector("circle")!
const [left, right, bottom, top] = byId("ranges").querySelectorAll("input") as unknown as Limits

let subject: Subject | undefined
let drawn: Drawn | undefined
let values: Float64Array = new Float64Array()
let asked = 0
let cell: readonly [x: number, y: number] = [n / 2, n / 2]

const rangeOf = (from: HTMLInputElement, to: HTMLInputElement): Plane.Range | undefined => {
  const [low, high] = [from.valueAsNumber, to.valueAsNumber]
  to.setCustomValidity(low < high ? "" : "This must be more than where the axis begins.")
  return from.reportValidity() && to.reportValidity() ? { low, high } : undefined
}

const ticks = (id: string, { low, high }: Plane.Range, count: number): void => {
  const labels = Array.from({ length: count }, (_, i) => low + (i / (count - 1)) * (high - low))
  byId(id).replaceChildren(...labels.map((label) => make("span", {}, Print.number(label))))
}

/** Shows the value at the cell that the reader points at. */
const tell = (): void => {
  if (drawn === undefined) return
  const [x, y] = cell
  spot.setAttribute("cx", String(x + 0.5))
  spot.setAttribute("cy", String(n - y - 0.5))
  spot.setAttribute("visibility", "visible")
  const at = [Plane.centre(drawn.across, n, x), Plane.centre(drawn.up, n, y)].map(Print.number)
  say(byId("reading"), `x₁ ${at[0]}, x₂ ${at[1]}: ${drawn.output} ${Print.number(values[y * n + x])}`)
}

const paint = (): void => {
  if (drawn === undefined) return
  values = Plane.column(drawn.data, n * n, Number(column.value))
  const scale = Plane.scale(values)
  canvas.getContext("2d")!.putImageData(new ImageData(Plane.pixels(values, n, scale), n, n), 0, 0)
  const line = scale.low === 0 && scale.high === 1 ? Plane.boundary(values, n, 0.5) : ""
  for (const path of svg.querySelectorAll("path")) path.setAttribute("d", line)
  ticks("across-ticks", drawn.across, 5)
  ticks("up-ticks", drawn.up, 5)
  ticks("bar-ticks", scale, 5)
  const [lowest, highest] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))]
  const numbers = [drawn.across.low, drawn.across.high, drawn.up.low, drawn.up.high, lowest, highest].map(Print.number)
  canvas.setAttribute(
    "aria-label",
    `${drawn.output} over x₁ from ${numbers[0]} to ${numbers[1]} and x₂ from ${numbers[2]} to ${numbers[3]}: ` +
      `from ${numbers[4]} to ${numbers[5]}. Arrow keys read single values.`
  )
  if (spot.getAttribute("visibility") === "visible") tell()
}

/** Offers the columns to choose from; a number that the model leaves open is known once an answer has come. */
const showColumns = (columns: number): void => {
  if (columns < 1) return
  byId("column").hidden = columns === 1
  if (column.length === columns) return
  column.replaceChildren(...Array.from({ length: columns }, (_, i) => make("option", { value: i }, String(i))))
  column.value = String(columns - 1)
}

const ask = async (): Promise<void> => {
  const across = rangeOf(left, right)
  const up = rangeOf(bottom, top)
  if (subject === undefined || across === undefined || up === undefined) return
  const { input, path } = subject
  const name = output.value
  const mine = ++asked
  section.ariaBusy = "true"
  const request = {
    inputs: [{ name: input.name, datatype: input.datatype, shape: [n * n, 2], data: Plane.grid(across, up, n) }],
    outputs: [{ name }]
  }
  const status = byId("drawn")
  try {
    const answer = await Server.send(`${path}/infer`, JSON.stringify(request))
    if (mine !== asked) return
    if (answer.status !== 200) return say(status, Server.errorOf(answer))
    const data = JSON.parse(answer.text).outputs[0].data as ReadonlyArray<unknown>
    drawn = { data, across, up, output: name }
    showColumns(data.length / (n * n))
    paint()
    say(status, `${(n * n).toLocaleString("en")} rows in one request: ${Print.number(answer.milliseconds)} ms`)
  } catch {
    say(status, "The server does not answer.")
  } finally {
    if (mine === asked) section.ariaBusy = "false"
  }
}

/** Clears what another model answered. */
const wipe = (): void => {
  drawn = undefined
  canvas.getContext("2d")!.clearRect(0, 0, n, n)
  for (const path of svg.querySelectorAll("path")) path.removeAttribute("d")
  spot.setAttribute("visibility", "hidden")
}

/** Draws a version's landscape, or hides it for a model of other inputs. */
export const show = (model: string, version: string, signature: Signature): void => {
  const input = Plane.inputOf(signature)
  const outputs = Plane.outputsOf(signature)
  asked++
  section.hidden = input === undefined || outputs.length === 0
  if (input === undefined || section.hidden) return
  if (subject?.model !== model) wipe()
  subject = { path: Server.pathOf(model, version), model, input }
  const before = output.value
  output.replaceChildren(...outputs.map(({ name }) => make("option", { value: name }, name)))
  if (outputs.some(({ name }) => name === before)) output.value = before
  showColumns(outputs.find(({ name }) => name === output.value)!.shape[1] ?? 1)
  void ask()
}

svg.setAttribute("viewBox", `0 0 ${n} ${n}`)

const bar = byId("bar") as HTMLCanvasElement
const colours = Array.from({ length: 256 }, (_, i) => [...Viridis.table.subarray(3 * (255 - i), 3 * (256 - i)), 255])
bar.getContext("2d")!.putImageData(new ImageData(Uint8ClampedArray.from(colours.flat()), 1), 0, 0)

output.addEventListener("change", () => void ask())
column.addEventListener("change", paint)
byId("ranges").addEventListener("change", () => void ask())

canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
  const at = (offset: number, length: number) => Math.max(0, Math.min(n - 1, Math.floor((offset / length) * n)))
  cell = [at(offsetX, canvas.clientWidth), n - 1 - at(offsetY, canvas.clientHeight)]
  tell()
})

const steps: Readonly<Record<string, readonly [x: number, y: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowDown: [0, -1],
  ArrowUp: [0, 1]
}

canvas.addEventListener("keydown", (event) => {
  const step = steps[event.key]
  if (step === undefined) return
  event.preventDefault()
  const far = event.shiftKey ? 10 : 1
  const moved = (at: number, by: number) => Math.max(0, Math.min(n - 1, at + by * far))
  cell = [moved(cell[0], step[0]), moved(cell[1], step[1])]
  tell()
})
canvas.addEventListener("focus", tell)
