/**
 * Draws every <figure data-figure>: the Plotly figure in its <script type="application/json">, in the colours and the
 * type of the page, redrawn when the colour scheme changes.
 *
 * The script of Plotly is large, so it is loaded when the first figure comes near the window. Until then, and where it
 * cannot be loaded, the figure shows its summary and has its table.
 *
 * A colour in the JSON is written as a design token, "var(--static)", and looked up here for the scheme in use.
 */

// Plotly, and the map library inside it, leave their style elements out where elements with these ids exist;
// a strict content security policy would refuse them. css/figure.css stands in for what the figures need.
const INJECTED_STYLES = [
  "plotly.js-style-global",
  "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53",
];
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };

let plotly = null;

function loadPlotly(address) {
  plotly ??= new Promise((resolve, reject) => {
    for (const id of INJECTED_STYLES) {
      const place = document.createElement("meta");
      place.id = id;
      place.className = "no-inline-styles";
      document.head.append(place);
    }
    const script = document.createElement("script");
    script.src = address;
    script.onload = () => resolve(globalThis.Plotly);
    script.onerror = () => reject(new Error(`cannot load ${address}`));
    document.head.append(script);
  });
  return plotly;
}

/** The value that a custom property has in the scheme in use; light-dark() is resolved by letting an element wear it. */
function tokenReader() {
  const probe = document.createElement("i");
  probe.hidden = true;
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  return { read, done: () => probe.remove() };
}

function withColours(value, read) {
  if (typeof value === "string") return value.replace(/var\((--[\w-]+)\)/g, (_, name) => read(name));
  if (Array.isArray(value)) return value.map((entry) => withColours(entry, read));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withColours(entry, read)]));
  }
  return value;
}

function template(read, narrow) {
  const axis = { automargin: true, zeroline: false, title: { font: { size: 12 }, standoff: 8 }, tickcolor: read("--edge") };
  return {
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: read("--ink-2") },
      margin: { l: 48, r: 16, t: 8, b: 40 },
      colorway: [read("--ink"), read("--edge"), read("--accent")],
      xaxis: { ...axis, showgrid: false, linecolor: read("--edge"), linewidth: 1, showline: true, ticks: "", nticks: narrow ? 4 : 0 },
      yaxis: { ...axis, gridcolor: read("--rule"), gridwidth: 1, showline: false, nticks: 4 },
      hoverlabel: {
        bgcolor: read("--sheet"), bordercolor: read("--rule"), align: "left", font: { size: 13, color: read("--ink") },
      },
      legend: { orientation: "h", y: narrow ? -0.2 : 1.02, yanchor: narrow ? "top" : "bottom", x: 0 },
      bargap: 0.2,
      dragmode: false,
    },
    data: {
      bar: [{ marker: { color: read("--edge"), line: { width: 0 } } }],
      scatter: [{ line: { width: 1.75 }, marker: { size: 10, line: { width: 1.6 } } }],
    },
  };
}

async function draw(figure) {
  const canvas = figure.querySelector(".canvas");
  const { data, layout } = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const Plotly = await loadPlotly(figure.dataset.plotly);
  const colours = tokenReader();
  const themed = withColours({ data, layout }, colours.read);
  const narrow = canvas.clientWidth < 640;
  themed.layout.template = template(colours.read, narrow);
  colours.done();
  canvas.querySelector(".fallback")?.remove();
  const height = Math.round(parseFloat(getComputedStyle(canvas).minHeight));
  await Plotly.react(canvas, themed.data, { height, ...themed.layout }, CONFIG);
  figure.dataset.drawn = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Draws the figures of the page as they come near the window, and again when the colour scheme changes. */
export function drawFigures(root = document) {
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        draw(target);
      }
    },
    { rootMargin: "400px" },
  );
  for (const figure of root.querySelectorAll("[data-figure]")) near.observe(figure);
}

const redraw = () => document.querySelectorAll("[data-figure][data-drawn]").forEach((figure) => draw(figure));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
// Paper is light: a page printed from the dark scheme is drawn again in the light one.
matchMedia("print").addEventListener("change", redraw);
