"use strict";
(function () {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const config = {
    displaylogo: false,
    responsive: true,
    modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
  };
  const nodes = Object.keys(figures).map((name) => document.getElementById("figure-" + name));
  const narrow = nodes.length > 0 && nodes[0].clientWidth < 520;

  // On a phone, smaller letters leave more room for bars and curves.
  function fitted(figure) {
    const layout = structuredClone(figure.layout);
    if (narrow) {
      layout.font.size = 11;
      layout.margin.l = 48;
      layout.margin.r = 12;
    }
    return layout;
  }

  for (const name of Object.keys(figures)) {
    const figure = figures[name];
    Plotly.newPlot("figure-" + name, figure.data, fitted(figure), config);
  }

  // A figure laid out for the screen is cut off on paper, so lay it out for the page first.
  const paper = { autosize: false, width: 660 };
  const screen = { autosize: true, width: null };
  const lay = (size) => nodes.forEach((node) => Plotly.relayout(node, size));
  window.matchMedia("print").addEventListener("change", (query) =>
    lay(query.matches ? paper : screen),
  );
})();
