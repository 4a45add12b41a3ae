// ---------------------------------------------------------------- element.js

// Words from the data enter as text only, never as markup. An attribute that is null is left out.
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
