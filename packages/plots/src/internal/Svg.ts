/**
 * SVG elements as text.
 */

/** The value of an attribute; undefined leaves it out. */
type Attribute = string | number | undefined

// What XML 1.0 forbids even as a reference; a title may contain it nonetheless.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g

/** Replaces the characters that XML forbids, in text or in markup. */
export const wellFormed = (text: string): string => text.toWellFormed().replace(forbidden, "\ufffd")

/** Escapes text for use in an element or an attribute. */
export const escape = (text: string): string =>
  wellFormed(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** Rounds to a hundredth of a pixel, so that files stay small. */
export const round = (value: number): number => Math.round(value * 100) / 100

/** An element with its attributes and children, which are markup already. */
export const element = (
  name: string,
  attributes: Readonly<Record<string, Attribute>>,
  ...children: ReadonlyArray<string>
): string => {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escape(String(value))}"`)
    .join("")
  return children.length === 0 ? `<${name}${written}/>` : `<${name}${written}>${children.join("")}</${name}>`
}

/** A text element. */
export const text = (content: string, attributes: Readonly<Record<string, Attribute>>): string =>
  element("text", attributes, escape(content))
