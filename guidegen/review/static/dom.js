// Short ways to make elements. Styles are classes: the page's policy allows no style attributes.

/** Make an element: attributes, `on...` listeners, `class`, and children (text or elements). */
export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "value") made.value = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

export const $ = (id) => document.getElementById(id);

/** Put children in place of those an element has. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((c) => c !== null && c !== undefined));
}

/** Set a button's state, with the reason why it can't be pressed. */
export function enable(button, able, why = "") {
  button.disabled = !able;
  if (button.dataset.title === undefined) button.dataset.title = button.title;
  button.title = able ? button.dataset.title : why || button.dataset.title;
}
