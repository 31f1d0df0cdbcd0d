// The strip beside the picture: how much happens when over the whole run, true to scale, and a brush over what is in sight.

const STRIP = 34;

function drawStrip(pane) {
  const { run, strip } = pane;
  const height = Math.max(60, strip.node().parentNode.clientHeight);
  const time = d3.scaleLinear([run.begins, Math.max(run.ends, run.begins + 1)], [4, height - 4]);
  const bins = new Array(Math.ceil(height / 3)).fill(0);
  for (let position = run.first; position < run.end; position++) {
    bins[Math.min(bins.length - 1, Math.floor(time(run.at(position)) / 3))]++;
  }
  const much = d3.scaleLog([1, Math.max(2, d3.max(bins) + 1)], [0, STRIP - 4]);
  strip.attr("width", STRIP).attr("height", height);
  strip.selectAll("rect.much").data(bins).join("rect").attr("class", "much").attr("x", 0).attr("height", 3)
    .attr("y", (_, index) => index * 3).attr("width", count => (count ? Math.max(2, much(count + 1)) : 0));
  strip.selectAll("line.wrong").data(run.wrong).join("line").attr("class", "wrong").attr("x1", 0).attr("x2", STRIP)
    .attr("y1", it => time(it.at_us)).attr("y2", it => time(it.at_us));
  pane.brush ??= d3.brushY().on("brush end", ({ selection, sourceEvent }) => {
    if (sourceEvent && selection) pane.showTime(...selection.map(pane.stripTime.invert));
  });
  pane.stripTime = time;
  pane.brush.extent([[0, 0], [STRIP, height]]);
  if (strip.select("g.brush").empty()) strip.append("g").attr("class", "brush");
  strip.select("g.brush").call(pane.brush);
  moveBrush(pane);
}

function moveBrush({ layout, scroller, strip, brush, stripTime }) {
  if (!brush) return;
  const [top, bottom] = [scroller.scrollTop, scroller.scrollTop + scroller.clientHeight - HEAD];
  const [from, to] = [stripTime(layout.timeAt(top)), stripTime(layout.timeAt(bottom))];
  strip.select("g.brush").call(brush.move, [from, Math.max(to, from + 2)]);
}
