// What the keys and the buttons do.

function listen(panes) {
  const typing = byId("filter");
  const step = by => {
    const { pane } = state;
    const rows = pane.entries.filter(entry => entry.position !== undefined);
    const now = rows.findIndex(entry => entry.position === pane.current);
    const next = rows[now < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, now + by))];
    if (next) state.selected(pane, next.position);
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    v: () => state.nextWrong(),
    d: () => state.showDifference(),
    f: () => state.setFolded(!state.folded),
    1: () => state.setView("story"),
    2: () => state.setView("everything"),
    3: () => state.setView("logs"),
    "+": () => state.zoom(1.5),
    "-": () => state.zoom(1 / 1.5),
    "/": () => typing.focus(),
    "?": () => byId("keys").showModal(),
    Escape: () => state.clear(),
  };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
    if (event.target === typing) {
      if (event.key === "Enter" || event.key === "Escape") typing.blur();
      if (event.key !== "Escape") return;
    }
    const key = keys[event.key];
    if (!key) return;
    event.preventDefault();
    key();
  });
  let later = 0;
  typing.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(() => state.setTyped(typing.value), 120);
  });
  const on = (id, act) => byId(id).addEventListener("click", act);
  on("fold", keys.f);
  on("in", keys["+"]);
  on("out", keys["-"]);
  on("help", keys["?"]);
  on("theme", () => state.setTheme(state.isDark() ? "light" : "dark"));
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => state.setView(button.dataset.view));
  }
  addEventListener("hashchange", () => followAddress(panes));
  addEventListener("resize", () => state.redraw());
  const whole = isWhole => () => panes.forEach(pane => {
    pane.isWhole = isWhole;
    drawPicture(pane);
  });
  addEventListener("beforeprint", whole(true));
  addEventListener("afterprint", whole(false));
}
