// What all panes share, and the beginning.

const state = {
  view: "story", folded: true, typed: "", pane: null, panes: [], wrong: -1,
  redraw: () => {
    state.panes.forEach(pane => pane.update());
    showState();
  },
  setView: view => {
    if (view === "logs" && state.panes.every(pane => !pane.run.sheet.log.length)) return;
    state.view = view;
    state.redraw();
  },
  setFolded: folded => {
    state.folded = folded;
    state.panes.forEach(pane => (pane.zoom = 1));
    state.redraw();
    const { pane } = state;
    if (pane.current !== null) pane.go(pane.current, { keepsAll: pane.lit === null });
  },
  setTyped: typed => {
    state.typed = typed;
    state.redraw();
  },
  zoom: by => state.panes.forEach(pane => pane.zoomTo(pane.zoom * by, pane.middle())),
  selected: (pane, position) => {
    state.pane = pane;
    state.panes.filter(other => other !== pane).forEach(other => other.select(null));
    if (position === null) pane.select(null);
    else pane.go(position);
    writeAddress(pane, position, state.panes);
  },
  clear: () => {
    const typing = byId("filter");
    if (typing.value) {
      typing.value = "";
      state.setTyped("");
    }
    state.selected(state.pane, null);
  },
  // Across panes, one after the other.
  nextWrong: () => {
    const all = state.panes.flatMap(pane => wrongOf(pane.run).map(event => [pane, event]));
    if (!all.length) return;
    state.wrong = (state.wrong + 1) % all.length;
    state.selected(...all[state.wrong]);
  },
  showDifference: () => {
    for (const pane of [...state.panes].reverse()) {
      if (pane.run.has(pane.differs)) {
        state.pane = pane;
        pane.go(pane.differs, { keepsAll: true });
      }
    }
  },
  isDark: () => getComputedStyle(document.documentElement).colorScheme === "dark",
  setTheme: theme => { document.documentElement.dataset.theme = theme; },
};

function showState() {
  for (const button of document.querySelectorAll("[data-view]")) {
    button.setAttribute("aria-pressed", button.dataset.view === state.view);
  }
  byId("fold").setAttribute("aria-pressed", !state.folded);
  const rows = d3.sum(state.panes, pane => pane.entries.length);
  byId("count").textContent = state.typed ? plural(rows, "row") : "";
}

async function main() {
  const { sides, differs } = await load();
  if (matchMedia("(prefers-color-scheme: dark)").matches) state.setTheme("dark");
  drawHead(sides);
  document.body.classList.toggle("two", sides.length > 1);
  state.panes = sides.map((side, index) => paneOf(side, index, differs?.[index] ?? null));
  [state.pane] = state.panes;
  const logs = document.querySelector('[data-view="logs"]');
  logs.disabled = sides.every(side => !side.sheet.log.length);
  if (logs.disabled) logs.title = "no drivers log here";
  state.panes.forEach(pane => pane.update(null));
  showState();
  listen(state.panes);
  if (!followAddress(state.panes)) openAtWrong();
  document.body.dataset.ready = "yes";
}

// A page opens at what is wrong, or where two runs part.
function openAtWrong() {
  for (const pane of state.panes) {
    const event = wrongOf(pane.run)[0] ?? pane.differs;
    if (pane.run.has(event)) {
      pane.go(event, { keepsAll: true });
      pane.center(pane.run.at(event));
    }
  }
}

main();
