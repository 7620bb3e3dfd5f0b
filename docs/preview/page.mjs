// Reads one message or view as JSON from standard input and writes an HTML page that shows it about as Slack does.
// Node finds its packages from here upward, or in the folder that PREVIEW_MODULES names.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const base = process.env.PREVIEW_MODULES ?? import.meta.dirname;
const require = createRequire(join(base, "package.json"));
const { createElement } = require("react");
const { renderToStaticMarkup } = require("react-dom/server");
const { Message } = require("slack-blocks-to-jsx");
const style = readFileSync(join(base, "node_modules/slack-blocks-to-jsx/dist/style.css"), "utf8");

// The renderer takes verbatim text for unformatted text; in Slack only its automatic links and mentions are off.
const shown = JSON.parse(readFileSync(0, "utf8"), (key, value) => (key === "verbatim" ? undefined : value));
const people = { users: [{ id: "U02MIA7", name: "mia" }], channels: [], user_groups: [] };

// A modal's frame is ours: the renderer draws messages.
function draw(blocks, key) {
  return createElement(Message, {
    key,
    blocks,
    data: people,
    name: "rca",
    logo: "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg"><rect width="48" height="48" fill="#0b6e4f"/></svg>'),
    time: new Date(Date.UTC(2026, 10, 20, 9, 56)),
    withoutWrapper: shown.type === "modal",
  });
}

const body = renderToStaticMarkup(draw(shown.blocks, "all"));
const head = shown.type === "modal" ? `<header>${shown.title.text}</header>` : "";
const foot = shown.type === "modal" ? `<footer><button>${shown.close.text}</button>${shown.submit ? `<button class="go">${shown.submit.text}</button>` : ""}</footer>` : "";
const width = shown.type === "modal" ? 560 : 680;

process.stdout.write(`<!doctype html><meta charset="utf-8"><style>${style}
body { margin: 0; background: #fff; font: 15px/1.46 Lato, "Noto Color Emoji", sans-serif; }
main { width: ${width}px; padding: 14px 18px; box-sizing: border-box; }
header { font-weight: 900; font-size: 20px; padding-bottom: 12px; }
footer { text-align: right; padding-top: 16px; }
footer button { font: inherit; padding: 6px 14px; margin-left: 8px; border: 1px solid #bbb; border-radius: 4px; background: #fff; }
footer .go { background: #007a5a; color: #fff; }
</style><main>${head}${body}${foot}</main>`);
