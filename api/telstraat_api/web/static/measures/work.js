// Draws the charts of a measure's page, anew when the theme changes.

import { draw } from "../street/vega_charts.js";

await draw(document);
addEventListener("themechange", () => draw(document));
