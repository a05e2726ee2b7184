/**
 * The form that sends a request, its answer, and the same request as a curl command.
 */
import { byId, make, say } from "./Element.ts"
import * as Print from "./Print.ts"
import * as Request from "./Request.ts"
import * as Server from "./Server.ts"
import * as Token from "./Token.ts"

interface Field {
  readonly fieldset: HTMLFieldSetElement
  readonly read: () => Request.Filled
}

const form = byId("ask") as HTMLFormElement
const askable = byId("askable")
const rawOnly = byId("raw-only")
const answer = byId("answer")
const curl = byId("curl")

let fields: ReadonlyArray<Field> = []
let path = ""
let drawn = ""

// A shell takes no longer argument, and nobody reads more values.
const longest = 100_000
const shown = 64

const fieldOf = (tensor: Request.Tensor): Field => {
  const { name, datatype } = tensor
  const size = Request.exampleShape(tensor)
  const shape = make("input", { value: size, readonly: !tensor.shape.includes(-1), spellcheck: "false" })
  const data = make("textarea", { rows: 2, spellcheck: "false" })
  const hint = make("small", { class: "quiet" })
  const read = (): Request.Filled => ({ name, datatype, shape: shape.value, data: data.value })
  let example = ""
  const suggest = () => {
    const sizes = Request.sizes(shape.value)
    // What was typed stays; an example follows the shape.
    if (data.value === example) data.value = example = Request.exampleData(datatype, shape.value)
    say(
      hint,
      sizes === undefined
        ? "A shape is whole numbers: 1, 2"
        : `${Print.count(Request.elements(sizes), "value")}; one alone stands for all`
    )
  }
  suggest()
  shape.addEventListener("input", suggest)
  const fieldset = make(
    "fieldset",
    {},
    make("legend", {}, make("code", {}, name), ` ${datatype} ${Print.shape(tensor.shape)}`),
    make("label", {}, "Shape ", shape),
    make("label", {}, "Values ", data),
    hint
  )
  return { fieldset, read }
}

const body = (): string => Request.body(fields.map(({ read }) => read()))

const command = (): string => {
  const text = body()
  return Request.curl(
    new URL(`${path}/infer`, document.baseURI).href,
    text.length > longest ? "@request.json" : text,
    Token.isKept()
  )
}

const showCommand = () => {
  const text = command()
  say(curl, text.length > 4000 ? `${text.slice(0, 4000)}…` : text)
}

interface Output {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<string>
  readonly data: ReadonlyArray<string>
}

type Context = { readonly source?: string }

// Numbers keep the digits they came with: 64-bit integers have more than a JavaScript number can hold.
const asWritten = (_key: string, value: unknown, context?: Context): unknown =>
  typeof value === "number" ? (context?.source ?? String(value)) : value

const table = (outputs: ReadonlyArray<Output>): HTMLElement =>
  make(
    "table",
    {},
    make(
      "tbody",
      {},
      ...outputs.map(({ name, datatype, shape, data }) => {
        const values = datatype === "BYTES" ? data.map((text) => JSON.stringify(text)) : data
        const more = values.length > shown ? ` … ${values.length - shown} more` : ""
        return make(
          "tr",
          {},
          make("th", { scope: "row" }, make("code", {}, name), make("small", {}, `${datatype} [${shape.join(", ")}]`)),
          make("td", {}, make("code", {}, values.slice(0, shown).join(", ") + more))
        )
      })
    )
  )

const send = async () => {
  const button = form.querySelector("button")!
  const asked = path
  button.disabled = true
  try {
    const came = await Server.send(`${asked}/infer`, body())
    if (asked !== path) return // another model is looked at by now
    const time = `${came.status} in ${Print.number(came.milliseconds)} ms`
    if (came.status === 200) {
      const { outputs } = JSON.parse(came.text, asWritten) as { readonly outputs: ReadonlyArray<Output> }
      answer.replaceChildren(make("p", { class: "good" }, time), table(outputs))
    } else {
      answer.replaceChildren(make("p", { class: "bad" }, time), make("p", {}, Server.errorOf(came)))
    }
  } catch {
    answer.replaceChildren(make("p", { class: "bad" }, "The server does not answer."))
  } finally {
    button.disabled = false
  }
}

/** Sends requests to this version from now on; what was typed stays where the model and its inputs are the same. */
export const show = (model: string, version: string, signature: Request.Signature): void => {
  path = Server.pathOf(model, version)
  const inputs = JSON.stringify([model, signature.inputs])
  if (inputs !== drawn) {
    drawn = inputs
    fields = signature.inputs.map(fieldOf)
    byId("inputs").replaceChildren(...fields.map(({ fieldset }) => fieldset))
    answer.replaceChildren(make("p", { class: "quiet" }, "The answer comes here."))
  }
  showCommand()
  const halves = signature.inputs.filter(({ datatype }) => datatype === "FP16").map(({ name }) => name)
  askable.hidden = halves.length > 0
  rawOnly.hidden = halves.length === 0
  say(
    rawOnly,
    `The protocol's JSON has no form for FP16, as ${halves.join(", ")} ${halves.length === 1 ? "is" : "are"}. Send it as binary tensor data, as @rai/client and Triton's clients do.`
  )
}

form.addEventListener("input", showCommand)
form.addEventListener("submit", (event) => {
  event.preventDefault()
  void send()
})
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit()
})

const copy = byId("copy")
// Browsers offer no clipboard to pages loaded over plain HTTP from another machine.
copy.hidden = !isSecureContext
copy.addEventListener("click", () => {
  void navigator.clipboard.writeText(command()).then(() => {
    say(copy, "Copied")
    setTimeout(() => say(copy, "Copy"), 1500)
  })
})
