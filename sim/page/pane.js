// One run on the screen: strip, picture, text, and what is selected in it.

const ZOOM_MAX = { folded: 12, scale: 20_000 };

function paneOf(side, index, differs) {
  const run = runOf(side);
  const root = d3.select("#panes").append("section").attr("class", "pane").attr("aria-label", `in the ${side.head.world} world`);
  const strip = root.append("div").attr("class", "strip").append("svg");
  const picture = root.append("div").attr("class", "picture");
  const scroller = picture.node();
  const names = picture.append("svg").attr("class", "names");
  const svg = picture.append("svg").attr("class", "drawn").attr("role", "img").attr("aria-label", "what the text says");
  const text = root.append("div").attr("class", "text").attr("tabindex", 0).node();
  text.innerHTML = '<div class="names"><time>seconds</time><span class="who">who</span><span class="what">what</span></div><div class="rows"></div>';
  const detail = d3.select("#panes").append("output").attr("class", `detail of${index}`);
  const pane = {
    run, index, differs, svg, strip, text, names, scroller,
    entries: [], lit: null, current: null, passes: filterOf(run, ""), isWhole: false, zoom: 1, rowsOf: new Set(),
    isRow: position => pane.rowsOf.has(position),
  };

  // Everything anew: another view, filter, scale or width. What is in sight stays there.
  pane.update = (around = pane.middle()) => {
    pane.passes = filterOf(run, state.typed);
    pane.entries = entriesOf(run, state.view, pane.passes);
    pane.rowsOf = new Set(pane.entries.map(entry => entry.position));
    const height = scroller.clientHeight - HEAD;
    pane.layout = layoutOf(run, pane.entries, { folded: state.folded, zoom: pane.zoom, height });
    pane.columns = lanesOf(run, scroller.clientWidth - 2, pane.passes);
    drawLaneNames(names, pane.columns);
    drawText(pane);
    drawPicture(pane);
    if (around !== null) pane.center(around);
    drawStrip(pane);
    pane.follow(scroller);
  };

  pane.middle = () => (pane.layout ? pane.layout.timeAt(scroller.scrollTop + scroller.clientHeight / 2) : null);
  pane.center = micros => scroller.scrollTo({ top: pane.layout.yAt(micros) - scroller.clientHeight / 2 });

  // Picture and text scroll together.
  let follows = null;
  pane.follow = leader => {
    const half = (leader.clientHeight - HEAD) / 2;
    const other = leader === text ? scroller : text;
    const height = leader === text ? pictureHeight(pane, leader.scrollTop + half) : textHeight(pane, leader.scrollTop + half);
    const top = Math.max(0, Math.round(pane.layout.folded ? leader.scrollTop : height - (other.clientHeight - HEAD) / 2));
    if (Math.abs(other.scrollTop - top) > 1) {
      follows = other;
      other.scrollTop = top;
    }
  };
  const scrolled = event => {
    const leader = event.currentTarget;
    if (follows === leader) follows = null;
    else pane.follow(leader);
    requestAnimationFrame(() => {
      drawPicture(pane);
      moveBrush(pane);
    });
  };
  scroller.addEventListener("scroll", scrolled, { passive: true });
  text.addEventListener("scroll", scrolled, { passive: true });

  pane.light = lit => {
    pane.lit = lit;
    markRows(pane);
    drawPicture(pane);
  };

  // Selects an event, keeps lit what belongs to it, and brings it in sight.
  pane.select = (position, { keepsAll = false } = {}) => {
    pane.current = position === null ? null : rowFor(pane.entries, position);
    const lit = position === null || keepsAll ? null : causeOf(run, position);
    // What nothing belongs to dims nothing.
    pane.light(lit?.size > 1 ? lit : null);
    detail.text(position === null ? "" : detailOf(run, position));
  };
  pane.go = (position, options) => {
    pane.select(position, options);
    const y = pane.layout.yOf(position) - scroller.scrollTop + HEAD;
    if (y < HEAD + 3 * ROW || y > scroller.clientHeight - 3 * ROW) pane.center(run.at(position));
    // Of many events at one instant it is one: what counts is its height.
    const off = pane.layout.yOf(position) - (scroller.scrollTop + scroller.clientHeight / 2);
    if (Math.abs(off) > scroller.clientHeight / 2 - 2 * ROW) scroller.scrollTop += off;
    const { x, width } = pane.columns.lanes[run.lane(position)];
    const left = x - scroller.scrollLeft;
    if (left < 0 || left + width > scroller.clientWidth) scroller.scrollLeft = x - scroller.clientWidth / 2;
    if (!pane.layout.folded) pane.rows.get(pane.current)?.scrollIntoView({ block: "nearest" });
  };

  // A span of time fills the picture: true to scale. Folded, it begins there.
  pane.showTime = (from, to) => {
    if (!state.folded && to > from) {
      pane.zoomTo(Math.max(1, ((run.ends - run.begins) / (to - from)) * 0.9), null);
    }
    scroller.scrollTop = pane.layout.yAt(from) - ROW;
  };
  pane.zoomTo = (zoom, around) => {
    pane.zoom = Math.max(1, Math.min(ZOOM_MAX[state.folded ? "folded" : "scale"], zoom));
    pane.update(around);
    picture.property("__zoom", d3.zoomIdentity.scale(pane.zoom));
  };

  const zoom = d3.zoom().scaleExtent([1, ZOOM_MAX.scale]).clickDistance(4)
    .filter(event => (event.type === "wheel" ? event.ctrlKey || event.metaKey : !event.button && !event.ctrlKey))
    .on("zoom", ({ transform, sourceEvent }) => {
      if (!sourceEvent) return;
      if (sourceEvent.type === "mousemove") scroller.scrollBy(-sourceEvent.movementX, -sourceEvent.movementY);
      else requestAnimationFrame(() => pane.zoomTo(transform.k, pane.middle()));
    });
  picture.call(zoom).on("dblclick.zoom", null);

  picture.on("click", ({ target }) => {
    const item = target.closest("g.item");
    const events = item?.dataset.events.split(" ").map(Number).filter(run.has);
    state.selected(pane, events?.length ? events[0] : null);
  });
  text.addEventListener("click", ({ target }) => {
    const row = target.closest("li.row");
    if (row?.dataset.position !== undefined && !getSelection().toString()) state.selected(pane, Number(row.dataset.position));
  });
  return pane;
}

// Everything about an event, and of a commit its facts.
function detailOf(run, position) {
  const lines = [`${position + 1}  ${seconds(run.at(position), 6)} s  ${run.who(position)}  ${run.what(position)}`];
  return [...lines, ...factsOf(run, position).map(fact => `     ${run.what(fact)}`)].join("\n");
}
