/**
 * The bearer token of a server that wants one: asked for once, and kept while this tab is open.
 */
import { byId, say } from "./Element.ts"

const key = "token"

/** The request headers that carry the token, if there is one. */
export const headers = (): Readonly<Record<string, string>> => {
  const token = sessionStorage.getItem(key)
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

/** Whether there is a token. */
export const isKept = (): boolean => sessionStorage.getItem(key) !== null

let asking: Promise<void> | undefined

/** Asks for the token that was missing or wrong; whoever else needs it meanwhile waits for the same answer. */
export const ask = (): Promise<void> => {
  asking ??= new Promise((resolve) => {
    const form = byId("token") as HTMLFormElement
    const field = form.querySelector("input")!
    say(form.querySelector("[role=alert]")!, isKept() ? "The server does not take this token." : "")
    sessionStorage.removeItem(key)
    document.body.classList.add("locked")
    field.focus()
    form.onsubmit = (event) => {
      event.preventDefault()
      sessionStorage.setItem(key, field.value)
      field.value = ""
      document.body.classList.remove("locked")
      asking = undefined
      resolve()
    }
  })
  return asking
}

/** Forgets the token and reloads the page. */
export const forget = (): void => {
  sessionStorage.removeItem(key)
  location.reload()
}
