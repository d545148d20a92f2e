/**
 * POST requests to our own server, with Django's CSRF token. A refusal is an `Refused` with the sentence of the server.
 */

import { gettext } from "./text.js";

export class Refused extends Error {}

/**
 * @param {string} address
 * @param {Record<string, string|number>} fields
 * @param {string} token Django's CSRF token
 * @returns {Promise<Response>}
 */
export async function post(address, fields, token) {
  let response;
  try {
    response = await fetch(address, {
      method: "POST",
      headers: { "X-CSRFToken": token, Accept: "application/json" },
      body: new URLSearchParams(fields),
      credentials: "same-origin",
    });
  } catch {
    throw new Refused(gettext("No connection: nothing was changed. Try again in a moment."));
  }
  if (response.ok) return response;
  const isJson = response.headers.get("Content-Type")?.includes("application/json");
  const message = isJson ? (await response.json()).error?.message : null;
  throw new Refused(message ?? gettext("That did not work, and nothing was changed. Load the page again."));
}
