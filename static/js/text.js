/**
 * Translated text: Django's JavaScript catalogue where the page has loaded it, the English otherwise.
 */

const catalogue = globalThis.django ?? {};

/** @type {(text: string) => string} */
export const gettext = catalogue.gettext ?? ((text) => text);

/** @type {(one: string, many: string, count: number) => string} */
export const ngettext = catalogue.ngettext ?? ((one, many, count) => (count === 1 ? one : many));

/**
 * Fills the %(name)s places of a translated sentence.
 * @param {string} text
 * @param {Record<string, string|number>} values
 */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (_, name) => String(values[name]));
}
