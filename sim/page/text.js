// The text beside the picture: a row for each entry, where the picture has it when time is folded. Rows are in the document
// whether in sight or not, so that a browser's own search and a screen reader find each arrow.

const BLOCK = 200;

function drawText(pane) {
  const { entries, layout, text } = pane;
  const blocks = [];
  for (let start = 0; start < entries.length; start += BLOCK) blocks.push(blockOf(pane, start));
  text.querySelector(".rows").innerHTML = blocks.join("");
  text.querySelector(".rows").style.height = layout.folded ? `${layout.height}px` : "";
  pane.rows = new Map();
  for (const row of text.querySelectorAll("li[data-position]")) pane.rows.set(Number(row.dataset.position), row);
  pane.marked = [];
  markRows(pane);
}

function blockOf({ entries, layout, run }, start) {
  const some = entries.slice(start, start + BLOCK);
  let height = 0;
  const rows = some.map((entry, index) => {
    const before = entries[start + index - 1];
    const gap = !layout.folded ? 0 : before ? entry.y - before.y - ROW : entry.y - ROW / 2;
    height += gap + ROW;
    return rowOf(run, entry, gap);
  });
  return `<ol class="block" style="contain-intrinsic-height:${height}px">${rows.join("")}</ol>`;
}

function rowOf(run, entry, gap) {
  const style = gap ? ` style="margin-top:${gap}px"` : "";
  const time = seconds(entry.at).padStart(9);
  if (entry.log) {
    const [, who, what] = entry.log;
    return `<li class="row log"${style}><time>${time}</time><span class="who">${safe(who || "-")}</span><span class="what">${safe(what)}</span></li>`;
  }
  const { position } = entry;
  const [who, what] = [run.who(position), saidOf(run, position)];
  const kind = run.sheet.lanes[run.lane(position)].kind;
  const said = safe(what).replace(/ {2}LOST$/, ' <b class="lost">LOST</b>');
  return `<li class="row ${kind} ${run.kind(position)}" data-position="${position}"${style}><time>${time}</time>` +
    `<span class="who">${safe(who)}</span><span class="what">${said}</span></li>`;
}

// As the story tells it, in the view of everything as it is.
const saidOf = (run, position) => {
  const told = run.told(position);
  return state.view !== "everything" && typeof told === "string" ? told : run.what(position);
};

const safe = text => text.replace(/[&<>"]/g, sign => `&#${sign.charCodeAt(0)};`);

// What is selected, what belongs to it, what is wrong. Rows that are not lit are dim where any is.
function markRows(pane) {
  const { text, run, lit, current, entries, differs, rows } = pane;
  for (const row of pane.marked) row.classList.remove("lit", "current", "wrong", "parts");
  pane.marked = [];
  const mark = (position, kind) => {
    const row = rows.get(position);
    row?.classList.add(kind);
    if (row) pane.marked.push(row);
  };
  text.classList.toggle("lights", lit !== null);
  lit?.forEach(position => mark(position, "lit"));
  mark(current, "current");
  wrongOf(run).forEach(event => mark(rowFor(entries, event), "wrong"));
  if (run.has(differs)) mark(rowFor(entries, differs), "parts");
}

// How high a place of the picture is in the text, and back: the same when time is folded.
function textHeight({ entries, layout }, height) {
  if (layout.folded) return height;
  return between(entries.map(entry => layout.yOf(Math.ceil(entry.key))), index => (index + 0.5) * ROW, height);
}

function pictureHeight({ entries, layout }, height) {
  if (layout.folded) return height;
  return between(entries.map((_, index) => (index + 0.5) * ROW), index => layout.yOf(Math.ceil(entries[index].key)), height);
}

function between(heights, other, height) {
  if (!heights.length) return 0;
  const index = d3.bisectLeft(heights, height);
  if (index <= 0) return other(0);
  if (index >= heights.length) return other(heights.length - 1);
  const span = heights[index] - heights[index - 1];
  const share = span ? (height - heights[index - 1]) / span : 0;
  return other(index - 1) + share * (other(index) - other(index - 1));
}
