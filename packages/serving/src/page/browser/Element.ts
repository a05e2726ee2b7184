/**
 * DOM elements as expressions.
 */

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** Makes an element: `make("p", { class: "quiet" }, "so many: ", count)`; attributes that are false or undefined are left out. */
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

/** The page's own element with this id. */
export const byId = (id: string): HTMLElement => document.getElementById(id)!

/** Sets a text where it differs, so that screen readers do not repeat what stays the same. */
export const say = (element: Element, text: string): void => {
  if (element.textContent !== text) element.textContent = text
}
