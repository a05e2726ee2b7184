/**
 * Elements as expressions.
 */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** `make("p", { class: "quiet" }, "so many: ", count)`; an attribute that is false or undefined is left out. */
export const make = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : String(value))
  }
  made.append(...children)
  return made
}

/** The page's own element of an id. */
export const byId = (id: string): HTMLElement => document.getElementById(id)!

/** Sets a text where it is another: what stays the same is not read aloud again. */
export const say = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}
